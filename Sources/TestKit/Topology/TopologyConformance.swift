import Concurrency
import FoundationEssentials
import SwiftProtobuf
import Testing
package import Topology
import WireProtos

/// What every ``TopologyStore`` promises, asked of one that is empty below `base` in `cell`.
package enum TopologyConformance {
    /// Its checks, by name: each runs on its own folder.
    package static let checks:
        [(name: String, body: @Sendable (any TopologyStore, TopologyCell, String) async throws -> Void)] = [
            ("what is created is there", created),
            ("a file without content exists", empty),
            ("what is there is not created again", createdTwice),
            ("an update needs the version that was read", updated),
            ("an update without a version writes whatever is there", unconditional),
            ("a removal needs the version that was read", removed),
            ("a listing has the immediate children, sorted by bytes", listed),
            ("a folder goes with its last file", emptied),
            ("of many who write one version, one succeeds", contended),
            ("bytes of every kind and a large record come back", faithful),
            ("what another program wrote into a record survives that it is rewritten", rewritten),
            ("a named lock has one holder at a time", exclusive),
            ("a lock that is not given back in time names its holder", held),
            ("a lock is given back when the work under it fails or is cancelled", givenBack),
        ]

    /// Runs all of them, and says how many the store named `name` keeps.
    package static func run(_ store: any TopologyStore, named name: String, in cell: TopologyCell) async throws {
        var kept = 0
        for (index, check) in checks.enumerated() {
            do {
                try await check.body(store, cell, "conformance/\(index)")
                kept += 1
            } catch {
                Issue.record("\(check.name): \(error)")
            }
        }
        print("topology conformance: \(name), cell \(cell): \(kept) of \(checks.count) checks")
    }

    private static func expect(
        _ code: TopologyError.Code,
        _ path: String,
        _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("\(path): nothing was thrown, \(code) was expected")
        } catch {
            #expect((error as? TopologyError)?.code == code, "\(path): \(error)")
            #expect("\(error)".contains(path), "\(error)")
        }
    }

    private static func created(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/a/File"
        await expect(.noNode, path) { _ = try await store.read(path, in: cell) }
        let version = try await store.create(path, in: cell, [1, 2, 3])
        #expect(try await store.read(path, in: cell) == TopologyFile(bytes: [1, 2, 3], version: version))
        // A folder is no file, and nothing is below a file.
        await expect(.noNode, base + "/a") { _ = try await store.read(base + "/a", in: cell) }
        await expect(.noNode, path + "/more") { _ = try await store.read(path + "/more", in: cell) }
    }

    private static func empty(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/File"
        let version = try await store.create(path, in: cell, [])
        #expect(try await store.read(path, in: cell) == TopologyFile(bytes: [], version: version))
        #expect(try await store.list(base, in: cell) == ["File"])
    }

    private static func createdTwice(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/File"
        let version = try await store.create(path, in: cell, [1])
        await expect(.nodeExists, path) { _ = try await store.create(path, in: cell, [2]) }
        #expect(try await store.read(path, in: cell) == TopologyFile(bytes: [1], version: version))
    }

    private static func updated(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/File"
        await expect(.badVersion, path) { _ = try await store.update(path, in: cell, [0], expecting: "17") }
        let first = try await store.create(path, in: cell, [1])
        // Also with the same content.
        let second = try await store.update(path, in: cell, [1], expecting: first)
        #expect(second != first)
        await expect(.badVersion, path) { _ = try await store.update(path, in: cell, [2], expecting: first) }
        #expect(try await store.read(path, in: cell) == TopologyFile(bytes: [1], version: second))
    }

    private static func unconditional(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/File"
        let first = try await store.update(path, in: cell, [1], expecting: nil)
        let second = try await store.update(path, in: cell, [2], expecting: nil)
        #expect(first != second)
        #expect(try await store.read(path, in: cell) == TopologyFile(bytes: [2], version: second))
    }

    private static func removed(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/File"
        await expect(.noNode, path) { try await store.delete(path, in: cell, expecting: nil) }
        await expect(.noNode, path) { try await store.delete(path, in: cell, expecting: "17") }
        let first = try await store.create(path, in: cell, [1])
        let second = try await store.update(path, in: cell, [2], expecting: first)
        await expect(.badVersion, path) { try await store.delete(path, in: cell, expecting: first) }
        try await store.delete(path, in: cell, expecting: second)
        await expect(.noNode, path) { _ = try await store.read(path, in: cell) }
    }

    private static func listed(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        await expect(.noNode, base) { _ = try await store.list(base, in: cell) }
        for name in ["ks_a/Keyspace", "ks/Keyspace", "ks/shards/0/Shard", "ks-2/Keyspace", "ks.x/Keyspace", "File"] {
            _ = try await store.create("\(base)/\(name)", in: cell, [])
        }
        #expect(try await store.list(base, in: cell) == ["File", "ks", "ks-2", "ks.x", "ks_a"])
        #expect(try await store.list(base + "/ks", in: cell) == ["Keyspace", "shards"])
        // A prefix of a name is no folder.
        await expect(.noNode, base + "/k") { _ = try await store.list(base + "/k", in: cell) }
    }

    private static func emptied(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        for name in ["a/b/File", "c/File"] { _ = try await store.create("\(base)/\(name)", in: cell, [1]) }
        try await store.delete(base + "/a/b/File", in: cell, expecting: nil)
        #expect(try await store.list(base, in: cell) == ["c"])
        await expect(.noNode, base + "/a") { _ = try await store.list(base + "/a", in: cell) }
    }

    private static func contended(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/File"
        let writers = 8
        let created = LockedBox(0)
        try await forEach(in: Array(0..<writers), atMost: writers) { index in
            do {
                _ = try await store.create(path, in: cell, [UInt8(index)])
                created.update { $0 += 1 }
            } catch let error as TopologyError where error.code == .nodeExists {}
        }
        #expect(created.get() == 1)
        // Each adds one by reading and writing: nothing is lost.
        _ = try await store.update(path, in: cell, [0], expecting: nil)
        try await forEach(in: Array(0..<writers), atMost: writers) { _ in
            while true {
                let file = try await store.read(path, in: cell)
                do {
                    _ = try await store.update(path, in: cell, [file.bytes[0] + 1], expecting: file.version)
                    return
                } catch let error as TopologyError where error.code == .badVersion {}
            }
        }
        #expect(try await store.read(path, in: cell).bytes == [UInt8(writers)])
    }

    private static func faithful(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let bytes = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        _ = try await store.create(base + "/us-east_1.x/File", in: cell, bytes)
        #expect(try await store.read(base + "/us-east_1.x/File", in: cell).bytes == bytes)
    }

    /// Fields that our version of the records does not know, by read, change and write.
    private static func rewritten(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let path = base + "/Shard"
        var record = Topodata_Shard()
        record.isPrimaryServing = true
        // Field 1000, a text, as a later version may have.
        let foreign: [UInt8] = [0xc2, 0x3e, 0x03, 0x6e, 0x65, 0x77]
        let bytes: [UInt8] = try record.serializedBytes()
        let version = try await store.create(path, in: cell, bytes + foreign)
        let file = try await store.read(path, in: cell)
        var read = try Topodata_Shard(serializedBytes: file.bytes)
        #expect(read.isPrimaryServing)
        read.primaryAlias.cell = "zone1"
        let changed: [UInt8] = try read.serializedBytes()
        _ = try await store.update(path, in: cell, changed, expecting: version)
        #expect(try await store.read(path, in: cell).bytes.suffix(foreign.count) == foreign[...])
    }

    private static func lockName(_ base: String, _ cell: TopologyCell) -> String {
        "\(base)-\(cell)".replacing("/", with: "-")
    }

    private static let lockRecord = LockRecord(
        action: "conformance",
        host: "host1",
        user: "vitess",
        time: Date(timeIntervalSince1970: 1_000_000_000)
    )

    private static func exclusive(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let name = lockName(base, cell)
        let inside = LockedBox(0)
        let visits = LockedBox(0)
        try await forEach(in: Array(0..<6), atMost: 6) { _ in
            try await store.withNamedLock(name, lockRecord, LockLimits()) { lock in
                let holders = inside.update { inside in
                    inside += 1
                    return inside
                }
                #expect(holders == 1)
                try await lock.confirm()
                await Task.yield()
                inside.update { $0 -= 1 }
                visits.update { $0 += 1 }
            }
        }
        #expect(visits.get() == 6)
    }

    private static func held(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let name = lockName(base, cell)
        var impatient = LockLimits()
        impatient.acquisition = .seconds(6)
        let limits = impatient
        try await store.withNamedLock(name, lockRecord, LockLimits()) { _ in
            await expect(.lockHeld, pathOfNamedLock(name)) {
                do {
                    try await store.withNamedLock(name, lockRecord, limits) { _ in
                        _ = Issue.record("a lock that is held was taken")
                    }
                } catch {
                    #expect("\(error)".contains("vitess on host1 (conformance) since 2001-09-09T01:46:40Z"), "\(error)")
                    throw error
                }
            }
        }
    }

    private struct Failure: Error {}

    private static func givenBack(_ store: any TopologyStore, _ cell: TopologyCell, _ base: String) async throws {
        let name = lockName(base, cell)
        await #expect(throws: Failure.self) {
            try await store.withNamedLock(name, lockRecord, LockLimits()) { _ in throw Failure() }
        }
        let (entered, enter) = AsyncStream<Void>.makeStream()
        // Each is cancelled on its own.
        let holder = Task {
            try await store.withNamedLock(name, lockRecord, LockLimits()) { _ in
                enter.yield()
                try await Task.sleep(for: .seconds(600))
            }
        }
        for await _ in entered { break }
        // One who waits is cancelled, at once or a little later, then the holder.
        let late = Task { try await store.withNamedLock(name, lockRecord, LockLimits()) { _ in } }
        let waiting = Task { try await store.withNamedLock(name, lockRecord, LockLimits()) { _ in } }
        waiting.cancel()
        try await Task.sleep(for: .milliseconds(300))
        late.cancel()
        await #expect(throws: (any Error).self) { try await late.value }
        await #expect(throws: (any Error).self) { try await waiting.value }
        holder.cancel()
        await #expect(throws: (any Error).self) { try await holder.value }
        let visits = LockedBox(0)
        try await store.withNamedLock(name, lockRecord, LockLimits()) { _ in visits.update { $0 += 1 } }
        #expect(visits.get() == 1)
    }
}
