import FoundationEssentials
import Glibc
import SystemPackage
package import Testing

/// A component that no registry has, so that only some machines have it.
///
/// Tests that need it are skipped where it is missing, with a reason, unless this machine has to have it: then they run and
/// fail. Both are counted: each writes a line into a file of the run, which `Scripts/count-component-tests` sums up.
package enum OptionalComponent: String, Sendable {
    case mysql80 = "MySQL 8.0"
    case vitess = "the real Vitess"
    case golden = "golden data of the real Vitess"

    private var variable: String {
        switch self {
        case .mysql80: "VT_MYSQL80_ROOT"
        case .vitess: "VTB_VITESS_ROOT"
        case .golden: "VTB_GOLDEN"
        }
    }

    private var requirement: String {
        switch self {
        case .mysql80, .vitess: "VTB_REQUIRE_ARCHIVES"
        case .golden: "VTB_REQUIRE_GOLDEN"
        }
    }

    fileprivate var isThere: Bool {
        let environment = ProcessInfo.processInfo.environment
        return !(environment[variable] ?? "").isEmpty || environment[requirement] == "1"
    }

    fileprivate var reason: Comment {
        switch self {
        case .mysql80, .vitess:
            "\(rawValue) is not there (\(variable)); HINT: VTB_ARCHIVES, see Scripts/bootstrap --help"
        case .golden: "VTB_GOLDEN is not set"
        }
    }

    /// Where tests that ran and tests that were skipped are written down, a file for each process.
    fileprivate func note(_ what: String, _ test: Test) {
        let path = RealComponents.testRoot.appending("component-tests.\(getpid())")
        let file = open(path.string, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }  // nobody counts where there is no folder of a run
        defer { close(file) }
        // One write, so that lines of tests beside each other do not mix.
        let line = Array("\(what)\t\(rawValue)\t\(test.id)\n".utf8)
        _ = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }
}

/// Says which components a test or suite needs; see ``OptionalComponent``.
package struct Needs: TestTrait, SuiteTrait, TestScoping {
    fileprivate let components: [OptionalComponent]

    package var isRecursive: Bool { true }

    /// Skips the test where a component is missing.
    /// - Throws: what the testing library takes for "skipped".
    package func prepare(for test: Test) async throws {
        for component in components {
            if !component.isThere, !test.isSuite { component.note("skipped", test) }
            try await ConditionTrait.enabled(if: component.isThere, component.reason).prepare(for: test)
        }
    }

    /// Each case of a test is counted, not the suite or the test that holds it.
    package func scopeProvider(for test: Test, testCase: Test.Case?) -> Needs? { testCase == nil ? nil : self }

    /// Counts the case and runs it.
    /// - Throws: what the case throws.
    @concurrent
    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        for component in components { component.note("ran", test) }
        try await function()
    }
}

extension Trait where Self == Needs {
    /// The test needs all of these; where one is missing it is skipped, with a reason, and counted.
    package static func needs(_ components: OptionalComponent...) -> Needs { Needs(components: components) }
}
