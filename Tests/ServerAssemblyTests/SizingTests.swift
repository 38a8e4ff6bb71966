import ArgumentParser
import Testing

@testable import ServerAssembly

/// What is asked for, and what memory and open files are enough for.
@Suite("sizing")
struct SizingTests {
    private func sizing(_ arguments: [String], cores: Int, openFiles: Int = 1 << 20) throws -> Sizing {
        let given = Set(arguments.map { String($0.dropFirst(2).prefix { $0 != "=" }) })
        let options = try VtbackupOptions.parse(arguments)
        return try Sizing(
            options.engine,
            concurrency: options.policy.concurrency,
            given: given,
            cores: cores,
            cgroupLimit: nil,
            openFiles: openFiles
        )
    }

    @Test("a limit of open files cuts files copied at once down, and says so")
    func openFiles() throws {
        #expect(try sizing([], cores: 2, openFiles: 64).warnings == [])
        let few = try sizing(["--concurrency=48"], cores: 2, openFiles: 100)
        #expect(few.concurrency == 10)
        #expect(
            few.warnings == [
                "the limit of 100 open files is not enough for --concurrency=48: 10 files are copied at once; HINT: raise the limit (ulimit -n)"
            ]
        )
        #expect(try sizing([], cores: 2, openFiles: 20).concurrency == 1)
        #expect(OpenFileLimit.raise(for: 4) >= OpenFileLimit.others + 4 * OpenFileLimit.ofCopiedFile)
    }

    @Test(
        "memory is enough for what is given by default, on as many cores as a large machine has",
        arguments: [1, 2, 16, 32]
    )
    func defaults(cores: Int) throws {
        for engine in ["pargzip", "zstd", "lz4"] {
            let sizing = try sizing(["--compression-engine-name=\(engine)"], cores: cores)
            #expect(sizing.warnings == [])
            #expect(sizing.threads == cores)
            #expect(sizing.blockSize == 250_000)
        }
    }

    @Test("blocks, open files and threads are cut down to what memory is enough for, and said so")
    func cut() throws {
        let blocks = try sizing(["--backup-storage-block-size=33554432"], cores: 16)
        #expect(blocks.threads == 16)
        // Buffer and chunk of each thread, and the chunk that is read meanwhile.
        #expect(17 * blocks.blockSize * 17 / 8 <= 32 << 20)
        #expect(blocks.blockSize > 750_000)
        #expect(
            blocks.warnings == [
                "the memory budget of 256 MiB is not enough for --backup-storage-block-size=33554432: blocks of \(blocks.blockSize) bytes are used; HINT: raise --memory-budget"
            ]
        )

        let files = try sizing(["--concurrency=200"], cores: 2)
        #expect(files.concurrency == 48)
        #expect(files.warnings.count == 1 && files.warnings.allSatisfy { $0.contains("--concurrency=200: 48 files") })
        #expect(try sizing(["--concurrency=200", "--memory-budget=1GiB"], cores: 2).warnings == [])

        let threads = try sizing(["--compression-engine-name=zstd"], cores: 256)
        #expect(threads.threads == 45)
        #expect(threads.warnings.count == 1)
        // Blocks of gzip are what is cut there.
        let small = try sizing([], cores: 256)
        #expect(small.threads == 256)
        #expect(small.blockSize < 250_000 && small.blockSize >= 1 << 16)
    }
}
