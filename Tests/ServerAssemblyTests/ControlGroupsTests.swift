import SystemPackage
import Testing

@testable import ServerAssembly

@Suite("limits of control groups")
struct ControlGroupsTests {
    /// Groups with limits as they are mounted, and what `/proc/self/cgroup` says.
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var limits: [FilePath: String]
        var membership: String
        var limit: Int?
    }

    static let cases = [
        Case(testDescription: "none", limits: [:], membership: "0::/\n", limit: nil),
        Case(testDescription: "a machine without groups", limits: [:], membership: "", limit: nil),
        Case(
            testDescription: "no limit in version 2",
            limits: ["memory.max": "max\n", "pod/memory.max": "max\n"],
            membership: "0::/pod\n",
            limit: nil
        ),
        Case(
            testDescription: "our own",
            limits: ["pod/box/memory.max": "536870912\n", "pod/memory.max": "max\n"],
            membership: "0::/pod/box\n",
            limit: 512 << 20
        ),
        Case(
            testDescription: "one above us, which is less",
            limits: ["pod/box/memory.max": "536870912\n", "pod/memory.max": "268435456\n"],
            membership: "0::/pod/box\n",
            limit: 256 << 20
        ),
        Case(
            testDescription: "version 1, beside other controllers",
            limits: ["memory/pod/memory.limit_in_bytes": "268435456\n", "cpu/pod/memory.limit_in_bytes": "1\n"],
            membership: "5:cpu,cpuacct:/pod\n4:hugetlb,memory:/pod\n0::/\n",
            limit: 256 << 20
        ),
        Case(
            testDescription: "a path of the host's in a container",
            limits: ["memory/memory.limit_in_bytes": "268435456\n"],
            membership: "4:memory:/docker/0123:456\n",
            limit: 256 << 20
        ),
        Case(
            testDescription: "a path above the namespace's root",
            limits: ["memory.max": "268435456\n"],
            membership: "0::/../sibling\n",
            limit: 256 << 20
        ),
    ]

    @Test("the least of ours and those above counts", arguments: cases)
    func limit(_ of: Case) {
        #expect(ControlGroups(membership: of.membership) { of.limits[$0] }.memoryLimit == of.limit)
    }
}
