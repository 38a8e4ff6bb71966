import CommandLineKit
import Concurrency
import Engines
import Host
import Logging
import Storage

/// What copies: threads, the storage, the one data plane, and the engines on it.
struct CopyingParts: Sendable {
    /// For what blocks besides copies: storage, the resolver.
    let fileThreads: BlockingThreads
    let storage: any BackupStorage
    let dataPlane: DataPlane
    private let options: EngineOptions
    private let logger: Logger

    /// Runs `body` with them.
    /// - Parameters:
    ///   - engine: flags of codecs and engines.
    ///   - storage: flags of the backup storage.
    ///   - sizing: what there is enough for.
    ///   - given: flags that the operator gave.
    ///   - logger: of the engines.
    ///   - body: runs with them.
    /// - Throws: ``UsageError`` for flags that cannot be used, or what `body` throws.
    static func with(
        engine: EngineOptions,
        storage: StorageOptions,
        sizing: Sizing,
        given: Set<String>,
        logger: Logger,
        _ body: @escaping @Sendable (CopyingParts) async throws -> Void
    ) async throws {
        try await BlockingThreads.with(count: min(64, sizing.concurrency + 1)) { fileThreads in
            try await BlockingThreads.with(count: sizing.threads) { codecThreads in
                let dataPlane = DataPlane(
                    threads: codecThreads,
                    codec: try engine.codec(),
                    blockSize: sizing.blockSize,
                    blocksInFlight: engine.blocksInFlight(given: given),
                    concurrency: sizing.concurrency,
                    flightBudget: sizing.budget.flight
                )
                try await body(
                    CopyingParts(
                        fileThreads: fileThreads,
                        storage: try storage.open(threads: fileThreads),
                        dataPlane: dataPlane,
                        options: engine,
                        logger: logger
                    )
                )
            }
        }
    }

    /// The one that the flags ask for.
    var backupEngine: any BackupEngine {
        BuiltinBackup(
            dataPlane: dataPlane,
            progressInterval: options.builtinbackupProgress.duration,
            checksPages: !options.skipPageCheck,
            logger: logger
        )
    }

    /// All that there are.
    /// - Parameters:
    ///   - owner: whose the files will be; `nil`: ours.
    ///   - durable: whether they are synced.
    /// - Returns: one of each kind.
    func restoreEngines(owner: FileOwner?, durable: Bool) -> RestoreEngines {
        RestoreEngines([
            BuiltinRestore(
                dataPlane: dataPlane,
                owner: owner,
                durable: durable,
                decompressors: options.decompressors,
                logger: logger
            )
        ])
    }
}
