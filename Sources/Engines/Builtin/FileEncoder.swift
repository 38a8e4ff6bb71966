import Compression
import Concurrency
import Host
import InnoDB
import Logging
import NIOCore
import Processes
import Storage
import Synchronization
import SystemPackage

/// Reads one file in chunks, compresses them in parallel and writes them in order.
struct FileEncoder: Sendable {
    let file: SelectedFile
    let dataPlane: DataPlane
    /// Where verified pages are counted; `nil`: none are.
    let pages: PageTally?
    let logger: Logger

    private var path: FilePath { file.path }

    /// Writes the whole object.
    ///
    /// - Parameters:
    ///   - sink: takes the object, in order.
    ///   - passed: called with the raw bytes of each chunk after it was written.
    /// - Throws: ``FileError``; ``EngineError`` with code `fileChanged` when the file is not the same at the end.
    func encode(into sink: any ObjectSink, passed: @escaping @Sendable (Int64) -> Void) async throws {
        let (path, selected) = (path, self.file)
        let file = try await dataPlane.threads.run { try FileTree.open(path, .readOnly) }
        try await withCleanup {
            let before = try fileCall("stat", path) { try file.sizeAndChange() }
            file.adviseSequential()
            let pageCheck = try await dataPlane.threads.run {
                try pages.flatMap { try PageCheck.begin(selected, file, tally: $0, logger: logger) }
            }
            let chunks = FileChunks(
                file: file,
                path: path,
                size: before.size,
                dataPlane: dataPlane,
                pageCheck: pageCheck
            )
            switch dataPlane.codec {
            case .external(let command):
                try await encode(chunks, by: command, into: sink, passed: passed)
            case .lz4:
                let frame = LZ4FrameWriter()
                try await sink.write(frame.header)
                try await encode(chunks, keepingContent: true) { chunk in
                    try await sink.write(chunk.stored)
                    frame.add(chunk.content)
                    passed(chunk.length)
                }
                try await sink.write(frame.end)
            case .identity, .gzip, .zstd:
                try await encode(chunks, keepingContent: false) { chunk in
                    try await sink.write(chunk.stored)
                    passed(chunk.length)
                }
            }
            let after = try fileCall("stat", path) { try file.sizeAndChange() }
            guard before == after else {
                throw EngineError(
                    .fileChanged,
                    "\(path) changed while it was copied, although mysqld is stopped; HINT: find out who writes there"
                )
            }
        } cleanup: {
            try await dataPlane.threads.run { try file.finish() }
        }
    }

    private struct Chunk: Sendable {
        var stored: ByteBuffer
        /// Empty unless it was to be kept.
        var content = ByteBuffer()
        /// Bytes of content.
        var length: Int64
    }

    private func encode(
        _ chunks: FileChunks,
        keepingContent: Bool,
        consume: (Chunk) async throws -> Void
    ) async throws {
        let dataPlane = dataPlane
        try await withOrderedWindow(
            count: chunks.count,
            window: dataPlane.window,
            weight: dataPlane.chunkWeight,
            slots: dataPlane.slots,
            executor: dataPlane.threads.executor
        ) { index in
            try await dataPlane.threads.run {
                try dataPlane.encoders.with { try Self.chunk(index, of: chunks, keepingContent, workspace: $0) }
            }
        } consume: {
            try await consume($0)
        }
    }

    private static func chunk(
        _ index: Int,
        of chunks: FileChunks,
        _ keepsContent: Bool,
        workspace: EncodingWorkspace
    ) throws -> Chunk {
        let length = chunks.length(index)
        guard let encoder = workspace.encoder else {
            return Chunk(stored: try chunks.read(index), length: Int64(length))
        }
        if keepsContent {
            let content = try chunks.read(index)
            return Chunk(
                stored: try content.withUnsafeReadableBytes { try encoder.encode($0) },
                content: content,
                length: Int64(length)
            )
        }
        let content = UnsafeMutableRawBufferPointer(rebasing: workspace.input.bytes[..<length])
        try chunks.read(index, into: content)
        return Chunk(stored: try encoder.encode(UnsafeRawBufferPointer(content)), length: Int64(length))
    }

    // MARK: External

    private func encode(
        _ chunks: FileChunks,
        by command: ExternalCommand,
        into sink: any ObjectSink,
        passed: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let threads = dataPlane.threads
        let next = Atomic(0)
        logger.info("Compressing using external command: \"\(command)\"")
        try await ExternalProcess(command) { logger.info("compressor stderr: \($0)") }.run {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < chunks.count else { return nil }
            let content = try await threads.run { try chunks.read(index) }
            passed(Int64(content.readableBytes))
            return content
        } output: {
            try await sink.write($0)
        }
    }
}

/// A file, cut into chunks.
private struct FileChunks: Sendable {
    let file: SystemPackage.FileDescriptor
    let path: FilePath
    let size: Int64
    let count: Int
    private let chunkSize: Int
    private let pageCheck: PageCheck?

    init(
        file: SystemPackage.FileDescriptor,
        path: FilePath,
        size: Int64,
        dataPlane: DataPlane,
        pageCheck: PageCheck?
    ) {
        (self.file, self.path, self.size, self.pageCheck) = (file, path, size, pageCheck)
        // Whole pages, so that each can be verified where it is read.
        let unit = pageCheck?.format.pageSize ?? 1
        chunkSize = max(1, dataPlane.chunkSize / unit) * unit
        let whole = Int((size + Int64(chunkSize) - 1) / Int64(chunkSize))
        // A reader of gzip takes an empty object for a truncated one: an empty file is one empty member.
        count = if case .gzip = dataPlane.codec { max(1, whole) } else { whole }
    }

    func length(_ index: Int) -> Int { Int(min(Int64(chunkSize), size - Int64(index) * Int64(chunkSize))) }

    /// Reads a chunk into a buffer of its own.
    func read(_ index: Int) throws -> ByteBuffer {
        let length = length(index)
        var content = ByteBufferAllocator().buffer(capacity: length)
        try content.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { target in
            try read(index, into: UnsafeMutableRawBufferPointer(rebasing: target[..<length]))
            return length
        }
        return content
    }

    /// Reads a chunk and lets its pages go.
    func read(_ index: Int, into content: UnsafeMutableRawBufferPointer) throws {
        let offset = Int64(index) * Int64(chunkSize)
        let count = try fileCall("read", path) { try file.readFully(into: content, at: offset) }
        guard count == content.count else {
            throw EngineError(.fileChanged, "\(path) ended at byte \(offset + Int64(count)) while it was copied")
        }
        try pageCheck?.verify(content, at: offset)
        file.adviseDone(offset: offset, count: count)
    }
}
