import Catalog
import Compression
import Concurrency
import Engines
import FoundationEssentials
import Host
import MySQLControl
import NIOCore
import Positions
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

@testable import Workflows

/// What a failed restore proves of a backup.
@Suite("proof against a backup")
struct VerificationTests {
    private func failure(_ cause: any Error) -> EngineError {
        EngineError(.damagedBackup, "failed to restore files", cause: cause)
    }

    @Test("an object that is missing or does not fit its hash is proof, also with a cause of the store's own")
    func proof() {
        let missing = StorageError(.notFound, "no object 17", cause: FileError("open", "/b/17", .noSuchFileOrDirectory))
        #expect(VerificationRecord.isProof(failure(missing)))
        #expect(VerificationRecord.isProof(failure(EngineError(.damagedBackup, "hash mismatch"))))
        #expect(VerificationRecord.isProof(failure(CompressionError(.corrupt, "bad member"))))
    }

    @Test("the way to an object, our own disk and a command of the operator prove nothing")
    func noProof() {
        #expect(!VerificationRecord.isProof(failure(StorageError(.unavailable, "busy"))))
        #expect(!VerificationRecord.isProof(failure(FileError("read", "/b/17", .ioError))))
        #expect(!VerificationRecord.isProof(failure(FileError("write", "/t/data/x.ibd", .noSpace))))
        #expect(!VerificationRecord.isProof(failure(CompressionError(.external, "size mismatch"))))
        #expect(!VerificationRecord.isProof(failure(CompressionError(.unsupported, "a window of 1 GiB"))))
        #expect(!VerificationRecord.isProof(failure(CompressionError(.failed, "no memory"))))
    }
}

/// What the restored server is compared with.
@Suite("verification of a new backup", .timeLimit(.minutes(5)))
struct VerificationOfServerTests {
    private static let name = "2026-11-21.120000.zone1-0000000101"

    /// A server that starts on anything.
    private struct Server: TabletServer {
        let directory: TabletDirectory
        let replica: ScriptedReplica
        /// Whose copy must still be shown when the restored server runs.
        let progress: PassProgress
        let versionText = "Ver 9.7.4"
        let fileOwner: FileOwner? = nil

        func writeConfiguration() async throws {}

        func withServer<Result: Sendable>(
            _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
        ) async throws -> Result {
            #expect(progress.reading?.phase == .verify)
            #expect(progress.reading?.transfer?.reading.files == 1)
            return try await body(replica)
        }

        func initialize<Result: Sendable>(
            initSQLFile: FilePath?,
            _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
        ) async throws -> Result {
            try await body(replica)
        }
    }

    /// Backs a folder up and verifies that, with prepared transactions before and after.
    /// - Returns: what the pass throws, and what stands beside the backup.
    private func verify(
        _ before: [String]?,
        _ after: [String]?
    ) async throws -> (error: WorkflowError?, record: VerificationRecord?) {
        try await withTemporaryFolder { folder in
            let source = TabletDirectory(path: folder.appending("s"), uid: 1)
            try source.create(owner: nil)
            try FileTree.write(Array("rows".utf8), to: source.innodbData.appending("ibdata1"))
            let target = TabletDirectory(path: folder.appending("t"), uid: 2)
            let claim = try TabletClaim.make(target, owner: nil)
            let lines = LogLines()
            let storage = InMemoryStorage()
            let shard = try ShardPath("commerce/0")
            return try await BlockingThreads.with(count: 1) { threads in
                let (plane, progress) = (DataPlane.small(threads), PassProgress())
                let engine = BuiltinBackup(
                    dataPlane: plane,
                    progressInterval: .seconds(60),
                    checksPages: false,
                    logger: lines.logger
                )
                let writer = try await storage.startBackup(Self.name, of: shard)
                let taken = try await engine.take(
                    StoppedServer(source),
                    to: writer,
                    readingBackFrom: try storage.backup(Self.name, of: shard),
                    meter: TransferMeter()
                )
                var manifest = Manifest(taken.details)
                manifest.position = .mysql56(GTIDSet())
                try await writer.commit(manifest: manifest.commitRecord())
                let backups = ShardBackups(shard: shard, storage: storage)
                let verification = Verification(
                    backups: backups,
                    engines: RestoreEngines([
                        BuiltinRestore(
                            dataPlane: plane,
                            owner: nil,
                            durable: false,
                            decompressors: StoredFormat.ExternalDecompressors(),
                            logger: lines.logger
                        )
                    ]),
                    threads: threads,
                    progress: progress,
                    clock: .system,
                    logger: lines.logger
                )
                let prepared = try await PreparedServer(reading: ScriptedReplica(prepared: before), now: Date())
                var error: WorkflowError?
                do {
                    let server = Server(
                        directory: target,
                        replica: ScriptedReplica(prepared: after),
                        progress: progress
                    )
                    try await verification.run(Self.name, of: prepared, on: server, claim)
                } catch let thrown as WorkflowError {
                    error = thrown
                }
                return (error, try await backups.verification(of: Self.name))
            }
        }
    }

    @Test(
        "other prepared transactions than those of the server that was copied make a backup bad",
        arguments: [
            (["1:1:0:0x78"], []), ([], ["1:1:0:0x78"]), (["1:1:0:0x78"], ["1:1:0:0x79"]),
            (["1:1:0:0x78", "1:1:0:0x79"], ["1:1:0:0x78"]),
        ]
    )
    func preparedTransactionsDiffer(_ before: [String], _ after: [String]) async throws {
        let (error, record) = try await verify(before, after)
        #expect(error?.code == .verification)
        #expect(record?.result == .bad)
        let text = "other prepared XA transactions than the one that was copied: \(after.count) ("
        #expect(record?.reason?.contains(text) == true, "\(record?.reason ?? "")")
    }

    @Test("the same ones, and ones that the server does not show, do not", arguments: [["1:1:0:0x78"], [], nil])
    func preparedTransactionsAgree(_ prepared: [String]?) async throws {
        let (error, record) = try await verify(prepared, prepared)
        #expect(error == nil)
        #expect(record?.result == .good)
        let (hidden, other) = try await verify(prepared, nil)
        #expect(hidden == nil && other?.result == .good)
    }
}
