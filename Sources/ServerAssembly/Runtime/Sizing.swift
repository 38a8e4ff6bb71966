import CommandLineKit
import Compression
import Engines

/// What the flags ask for, cut down to what memory and open files are enough for, and said so.
struct Sizing {
    let budget: MemoryBudget
    private let size: DataPlaneSize
    private let asked: DataPlaneSize.Amounts
    private let openFiles: Int

    /// - Parameters:
    ///   - engine: what is asked for.
    ///   - concurrency: files open at once, as asked for.
    ///   - given: flags that the operator gave.
    ///   - cores: processors to use.
    ///   - cgroupLimit: bytes that this process's cgroup may take.
    ///   - openFiles: files that this process may have open.
    /// - Throws: ``UsageError`` for a codec that cannot be.
    init(
        _ engine: EngineOptions,
        concurrency: Int,
        given: Set<String>,
        cores: Int,
        cgroupLimit: Int?,
        openFiles: Int
    ) throws(UsageError) {
        self.openFiles = openFiles
        budget = MemoryBudget(
            given: given.contains("memory-budget") ? engine.memoryBudget.bytes : nil,
            cgroupLimit: cgroupLimit
        )
        asked = DataPlaneSize.Amounts(
            threads: cores,
            blockSize: engine.backupStorageBlockSize,
            concurrency: concurrency
        )
        size = DataPlaneSize(asked, codec: try engine.codec().codec, flightBudget: budget.flight)
    }

    /// By the processors, control groups and limits of this machine.
    /// - Throws: ``UsageError`` for a codec that cannot be.
    static func ofThisMachine(
        _ engine: EngineOptions,
        concurrency: Int,
        given: Set<String>
    ) throws(UsageError) -> Sizing {
        try Sizing(
            engine,
            concurrency: concurrency,
            given: given,
            cores: Processors.available,
            cgroupLimit: ControlGroups.own.memoryLimit,
            openFiles: OpenFileLimit.raise(for: concurrency)
        )
    }

    /// Threads that compress and decode.
    var threads: Int { size.amounts.threads }
    /// Bytes of a file that gzip compresses as one block.
    var blockSize: Int { size.amounts.blockSize }
    /// Files open at once.
    var concurrency: Int { min(size.amounts.concurrency, OpenFileLimit.concurrency(within: openFiles)) }

    /// One line for each that was cut down.
    var warnings: [String] {
        let (asked, fitting) = (asked, size.amounts)
        let cut = [
            asked.blockSize == fitting.blockSize
                ? nil : "--backup-storage-block-size=\(asked.blockSize): blocks of \(fitting.blockSize) bytes are used",
            asked.concurrency == fitting.concurrency
                ? nil : "--concurrency=\(asked.concurrency): \(fitting.concurrency) files are open at once",
            asked.threads == fitting.threads
                ? nil : "\(asked.threads) processors: \(fitting.threads) threads compress",
        ]
        var lines = cut.compactMap { $0 }.map {
            "the memory budget of \(budget.total >> 20) MiB is not enough for \($0); HINT: raise --memory-budget"
        }
        if concurrency < fitting.concurrency {
            lines.append(
                "the limit of \(openFiles) open files is not enough for --concurrency=\(asked.concurrency): \(concurrency) files are copied at once; HINT: raise the limit (ulimit -n)"
            )
        }
        return lines
    }
}
