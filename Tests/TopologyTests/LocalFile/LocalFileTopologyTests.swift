import FoundationEssentials
import Glibc
import Host
import SystemPackage
import Testing

@testable import Topology

@Suite("Topology in files", .timeLimit(.minutes(5)))
struct LocalFileTopologyTests {
    @Test(
        "cells lie beside the global root, however that is spelled",
        arguments: ["", "/", "/.", "/../global", "/x/.."]
    )
    func cellsBeside(suffix: String) async throws {
        try await RecordTree.twoCells.adding(.global, "x/file", "").withFiles { _, root in
            let store = try LocalFileTopology(root: FilePath(root.string + suffix))
            #expect(try await store.list("tablets", in: .cell("zone2")) == ["zone2-0000000007"])
            #expect(try await store.list("cells", in: .global) == ["zone1", "zone2"])
        }
    }

    @Test("the current folder as root has its cells beside it too")
    func currentFolder() async throws {
        let store = try LocalFileTopology(root: ".")
        let error = await #expect(throws: TopologyError.self) {
            _ = try await store.read("file", in: .cell("no-such-cell"))
        }
        #expect(error == .noNode("./../no-such-cell/file"))
    }

    @Test("a root that is no folder is refused, with the flag that names it")
    func noRoot() throws {
        for root in ["/nonexistent/global", "/dev/null"] {
            let error = #expect(throws: TopologyError.self) { try LocalFileTopology(root: FilePath(root)) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.hasPrefix("Failed to open topo server (file,,\(root)): ") == true)
            #expect(error?.message.contains("--topo-global-root") == true)
        }
    }

    @Test("no path leaves its cell", arguments: ["..", "../zone1/tablets", "a/../../zone1", "cells/../../x"])
    func escapes(path: String) async throws {
        try await RecordTree.twoCells.withFiles { store, _ in
            for cell in [TopologyCell.global, .cell("zone2")] {
                let reading = await #expect(throws: TopologyError.self) { _ = try await store.read(path, in: cell) }
                #expect(reading?.code == .damagedRecord)
                let listing = await #expect(throws: TopologyError.self) { _ = try await store.list(path, in: cell) }
                #expect(listing?.code == .damagedRecord)
            }
        }
    }

    @Test("an absolute path is taken below the cell")
    func absolute() async throws {
        try await RecordTree.twoCells.withFiles { store, root in
            let error = await #expect(throws: TopologyError.self) {
                _ = try await store.read("/etc/passwd", in: .global)
            }
            #expect(error == .noNode("\(root)/etc/passwd"))
        }
    }

    @Test("a cell is one name", arguments: ["", ".", "..", "zone1/tablets", "../zone1", "/etc", "zone1/", "zone1\0"])
    func cellNames(name: String) async throws {
        try await RecordTree.twoCells.withFiles { store, _ in
            let error = await #expect(throws: TopologyError.self) {
                _ = try await store.list("tablets", in: .cell(name))
            }
            #expect(error?.code == .damagedRecord)
        }
    }

    @Test("a record that is far too large is an error of the store, not a missing one")
    func tooLarge() async throws {
        try await RecordTree.twoCells.withFiles { store, root in
            try #require(truncate(root.appending("cells/zone1/CellInfo").string, 5 << 20) == 0)
            let error = await #expect(throws: TopologyError.self) {
                _ = try await store.read("cells/zone1/CellInfo", in: .global)
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("cells/zone1/CellInfo") == true)
        }
    }

    /// Whoever may write beside the records may put one there.
    @Test("a pipe, socket or link in the place of a lock is refused and says so, and nothing waits or is written to")
    func plantedLock() async throws {
        try await RecordTree.twoCells.withFiles { _, root in
            let lock = root.pushing(FilePath(pathOfNamedLock("shard"))).appending("Lock")
            let other = root.removingLastComponent().appending("other")
            let record = LockRecord(action: "Backup", host: "h", user: "u", time: Date())
            try FileTree.createDirectory(lock.removingLastComponent(), parents: true)
            let plants: [(() -> Int32, String)] = [
                ({ mkfifo(lock.string, 0o600) }, "no regular file"),
                ({ mknod(lock.string, S_IFSOCK | 0o600, 0) }, "no regular file"),
                ({ symlink(other.string, lock.string) }, "a link stands there"),
            ]
            for (plant, reason) in plants {
                #expect(plant() == 0)
                let error = await #expect(throws: TopologyError.self) {
                    try await LocalFileLock.take(lock, record, within: .seconds(10)).release()
                }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("\(lock)") == true)
                #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
                #expect(access(other.string, F_OK) != 0)
                #expect(unlink(lock.string) == 0)
            }
        }
    }
}
