import Catalog
import Compression
import Concurrency
import Engines
import FoundationEssentials
import Host
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

@testable import Workflows

/// Which backup is unpacked into a folder when none is named, and what is said of those that are not.
@Suite("restoring into a folder", .timeLimit(.minutes(5)))
struct RestoreToFolderTests {
    private let storage = InMemoryStorage()
    private let lines = LogLines()
    private let backups: ShardBackups

    init() throws { backups = ShardBackups(shard: try ShardPath("commerce/0"), storage: storage) }

    private func name(_ day: Int) -> String { "2026-03-2\(day).101500.zone1-0000000100" }

    private func add(_ day: Int, _ manifest: String) async throws {
        let writer = try await storage.startBackup(name(day), of: backups.shard)
        try await writer.commit(manifest: ByteBuffer(string: manifest))
    }

    private func restore(_ name: String? = nil) async throws -> Manifest {
        try await withTemporaryFolder { folder in
            try await BlockingThreads.with(count: 1) { threads in
                let builtin = BuiltinRestore(
                    dataPlane: DataPlane.small(threads),
                    owner: nil,
                    durable: false,
                    decompressors: StoredFormat.ExternalDecompressors(),
                    logger: lines.logger
                )
                let engines = RestoreEngines([builtin])
                return try await RestoreToFolder(
                    backups: backups,
                    engines: engines,
                    owner: nil,
                    logger: lines.logger
                ).run(name: name, into: folder.appending("r"), progress: PassProgress())
            }
        }
    }

    @Test("the newest that can be, and every newer one is named with what is wrong with it")
    func newest() async throws {
        try await add(1, #"{"BackupName": "older"}"#)
        try await add(2, #"{"BackupName": "good"}"#)
        try await add(3, #"{"BackupName": "bad"}"#)
        try await add(4, #"{"BackupMethod": "xtrabackup"}"#)
        try await add(5, "{")
        var record = VerificationRecord(result: .bad, time: .now, seconds: 1, files: 1, bytes: 1)
        record.reason = "a table is damaged"
        try await backups.leave(record, at: name(3))
        #expect(try await restore().backupName == "good")
        for (day, text) in [(3, "CANNOT BE USED"), (4, "only builtin ones"), (5, "Possibly incomplete backup")] {
            let said = lines.all.contains { $0.contains(name(day)) && $0.contains(text) }
            #expect(said, "\(day)")
        }
        #expect(!lines.all.contains { $0.contains(name(1)) })
    }

    @Test("a bad one when somebody names it; one of an engine that is not here is refused in words of Vitess")
    func named() async throws {
        try await add(3, #"{"BackupName": "bad"}"#)
        try await add(4, #"{"BackupMethod": "xtrabackup"}"#)
        try await backups.leave(
            VerificationRecord(result: .bad, time: .now, seconds: 1, files: 1, bytes: 1),
            at: name(3)
        )
        #expect(try await restore(name(3)).backupName == "bad")
        let error = await #expect(throws: WorkflowError.self) { _ = try await restore(name(4)) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("no such BackupEngine implementation is registered"))
    }
}
