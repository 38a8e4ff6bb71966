import Catalog
import NIOCore
import Storage
import TestKit
import Testing
import Vocabulary

/// The decorator is what other tests lean on: each of its faults must be what it says.
@Suite("Injected faults", .timeLimit(.minutes(5)))
struct FaultyStorageTests {
    private let shard: ShardPath
    private let base = InMemoryStorage()

    init() throws {
        shard = try ShardPath("ks/0")
    }

    private func put(_ text: String, _ writer: any BackupWriter) async throws -> Int64 {
        try await writer.put(.file(0), sizeHint: nil) { sink in
            // In two pieces, so that a fault can be between them or inside one.
            try await sink.write(ByteBuffer(string: String(text.prefix(4))))
            try await sink.write(ByteBuffer(string: String(text.dropFirst(4))))
        }
    }

    private func stored() -> String? {
        base.object(.file(0), of: "b", in: shard).map { String(buffer: $0) }
    }

    private func expectFault(_ text: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: StorageError.self) { try await body() }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "injected fault: \(text)")
    }

    struct PutCase: Sendable, CustomTestStringConvertible {
        var fault: Fault.PutFault
        /// `nil`: the put fails.
        var confirmed: Int64?
        var stored: String?
        var testDescription: String { "\(fault)" }
    }

    @Test(
        "of put",
        arguments: [
            PutCase(fault: .failsBefore),
            PutCase(fault: .failsAfter(bytes: 0)),
            PutCase(fault: .failsAfter(bytes: 6)),
            PutCase(fault: .failsAfter(bytes: 8), confirmed: 8, stored: "abcdefgh"),
            PutCase(fault: .failsStored, stored: "abcdefgh"),
            PutCase(fault: .cutShort(bytes: 0), confirmed: 0, stored: ""),
            PutCase(fault: .cutShort(bytes: 6), confirmed: 6, stored: "abcdef"),
            PutCase(fault: .confirms(bytes: 99), confirmed: 99, stored: "abcdefgh"),
            PutCase(fault: .skipsBody(confirms: 8), confirmed: 8),
        ]
    )
    func puts(_ test: PutCase) async throws {
        let writer = try await FaultyStorage(base, plan: [.put(.nth(1), test.fault)]).startBackup("b", of: shard)
        if let confirmed = test.confirmed {
            #expect(try await put("abcdefgh", writer) == confirmed)
        } else {
            await expectFault("put 1") { _ = try await put("abcdefgh", writer) }
        }
        #expect(stored() == test.stored)
        #expect(try await put("whole", writer) == 5)
        #expect(stored() == "whole")
    }

    @Test("of put, also for a body that does not pass the failure on")
    func stubbornBody() async throws {
        let faulty = FaultyStorage(base, plan: [.put(.every, .failsAfter(bytes: 2))])
        let writer = try await faulty.startBackup("b", of: shard)
        await expectFault("put 1") {
            _ = try await writer.put(.file(0), sizeHint: nil) { try? await $0.write(ByteBuffer(string: "abc")) }
        }
        #expect(stored() == nil)
    }

    @Test("of list: the nth fails, another one lies")
    func lists() async throws {
        _ = try await base.startBackup("b", of: shard)
        let faulty = FaultyStorage(base, plan: [.list(.nth(2), .fails), .list(.nth(3), .lies(["x"]))])
        #expect(try await faulty.listBackups(of: shard) == ["b"])
        await expectFault("list 2") { _ = try await faulty.listBackups(of: shard) }
        #expect(try await faulty.listBackups(of: shard) == ["x"])
        #expect(try await faulty.listBackups(of: shard) == ["b"])
        #expect(faulty.count(.list) == 4)
        #expect(faulty.count(.put) == 0)
    }

    @Test("of start, before and after it took effect", arguments: [Fault.StepFault.before, .after])
    func starts(fault: Fault.StepFault) async throws {
        let faulty = FaultyStorage(base, plan: [.start(.nth(1), fault)])
        await expectFault("start 1") { _ = try await faulty.startBackup("b", of: shard) }
        #expect(try await base.listBackups(of: shard) == (fault == .after ? ["b"] : []))
    }

    @Test("of commit, before and after it took effect", arguments: [Fault.StepFault.before, .after])
    func commits(fault: Fault.StepFault) async throws {
        let writer = try await FaultyStorage(base, plan: [.commit(.every, fault)]).startBackup("b", of: shard)
        await expectFault("commit 1") { try await writer.commit(manifest: ByteBuffer(string: "{}")) }
        #expect((base.object(.manifest, of: "b", in: shard) != nil) == (fault == .after))
        await expectFault("commit 2") { try await writer.commit(manifest: ByteBuffer(string: "{}")) }
    }

    @Test("of remove and abort, before and after they took effect", arguments: [Fault.StepFault.before, .after])
    func removals(fault: Fault.StepFault) async throws {
        let faulty = FaultyStorage(base, plan: [.remove(.nth(1), fault), .abort(.nth(1), fault)])
        let writer = try await faulty.startBackup("b", of: shard)
        await expectFault("remove 1") { try await faulty.removeBackup("b", of: shard) }
        #expect(try await base.listBackups(of: shard) == (fault == .after ? [] : ["b"]))
        try await faulty.removeBackup("b", of: shard)
        _ = try await base.startBackup("b", of: shard)
        await expectFault("abort 1") { try await writer.abort() }
        #expect(try await base.listBackups(of: shard) == (fault == .after ? [] : ["b"]))
    }

    struct ReadCase: Sendable, CustomTestStringConvertible {
        var fault: Fault
        /// `nil`: reading fails.
        var found: String?
        var testDescription: String { "\(fault)" }
    }

    @Test(
        "of open and read",
        arguments: [
            ReadCase(fault: .open(.nth(1))),
            ReadCase(fault: .read(.nth(1), .failsAfter(bytes: 0))),
            ReadCase(fault: .read(.nth(1), .failsAfter(bytes: 3))),
            ReadCase(fault: .read(.nth(1), .failsAfter(bytes: 100))),
            ReadCase(fault: .read(.nth(1), .truncated(bytes: 3)), found: "abc"),
            ReadCase(fault: .read(.nth(1), .truncated(bytes: 0)), found: ""),
            ReadCase(fault: .read(.nth(1), .flipped(at: 0)), found: "`bcdefgh"),
            ReadCase(fault: .read(.nth(1), .flipped(at: 7)), found: "abcdefgi"),
            ReadCase(fault: .read(.nth(1), .flipped(at: 8)), found: "abcdefgh"),
        ]
    )
    func reads(_ test: ReadCase) async throws {
        _ = try await put("abcdefgh", try await base.startBackup("b", of: shard))
        let reader = try FaultyStorage(base, plan: [test.fault]).backup("b", of: shard)
        if let found = test.found {
            #expect(try await reader.read(.file(0), limit: 100) == Array(found.utf8))
        } else {
            await expectFault("open 1") { _ = try await reader.read(.file(0), limit: 100) }
        }
        #expect(try await reader.read(.file(0), limit: 100) == Array("abcdefgh".utf8))
    }
}
