package import Catalog
import Compression
import Concurrency
import Host
import Logging
package import MySQLControl
import NIOCore
import Processes
package import Storage
import Synchronization
import SystemPackage

/// Sees that what is written can be read as the manifest will say: before a pass with a sample, before its commit with an
/// object.
extension BuiltinBackup {
    /// Sends a sample through the operator's compressor, if there is one, and reads it as the manifest will say.
    ///
    /// When nobody has named a command that reads it, that is only said.
    /// - Throws: ``EngineError`` with code `unsupportedBackup` when nobody could read the backup; what keeps the command
    ///   from running.
    package func check() async throws {
        guard case .external(let command) = dataPlane.codec else { return }
        let sample = Self.sample
        let compressed = try await compress(sample, by: command)
        guard try await reads(.init(bytes: compressed), as: "a sample", expecting: Digest(of: sample)) else {
            logger.warning(
                "what --external-compressor=\"\(command)\" writes could not be read back here, since no command that does is known; HINT: give --manifest-external-decompressor, so that others can restore the backup, and see that it fits"
            )
            return
        }
        logger.info("a sample that \"\(command)\" compressed reads as the MANIFEST will say")
    }

    /// Reads the smallest object that is not empty from the store as the manifest says, and compares it with its file.
    /// - Throws: ``EngineError`` with code `copyFailed` when they differ; what the store throws at the second attempt.
    package func readBack(
        _ builtin: Manifest.Builtin,
        of directory: TabletDirectory,
        from reader: any BackupReader
    ) async throws {
        let candidates = builtin.files.enumerated().filter { ($0.element.sizes?.raw ?? 0) > 0 }
        guard
            let (index, file) = candidates.min(by: { ($0.element.sizes?.raw ?? 0) < ($1.element.sizes?.raw ?? 0) })
        else { return }
        let path = directory.folder(of: file.base).pushing(FilePath(file.name))
        let what = "object \(index) of backup \(reader.name) (\(file.name))"
        let expected = try await dataPlane.threads.run { try Digest(ofFile: path) }
        for attempt in 1...2 {
            do {
                let isRead = try await reader.withObject(.file(index)) { source in
                    let source = StoredDigest(source)
                    let isRead = try await reads(.init(source.next), as: what, expecting: expected)
                    guard !isRead || source.crc == file.hash else {
                        throw EngineError(.copyFailed, "\(what) is not what was stored: its hash differs")
                    }
                    return isRead
                }
                if isRead { logger.info("\(what) reads back from storage as its file is") }
                return
            } catch {
                try Task.checkCancellation()
                guard attempt == 1 else { throw error }
                logger.warning("cannot read \(what) back, reading it again: \(error)")
            }
        }
    }

    // MARK: Samples

    /// Content of every kind: repeated, random, empty.
    private static var sample: [UInt8] {
        var state: UInt32 = 1
        let noise = (0..<1 << 16).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
        let text = Array("a row of the customer's table, and another one; ".utf8)
        return noise + (0..<1 << 17).map { text[$0 % text.count] } + [UInt8](repeating: 0, count: 1 << 16)
    }

    /// More than any compressor makes of the sample.
    private static let sampleLimit = 4 << 20

    private func compress(_ sample: [UInt8], by command: ExternalCommand) async throws -> [UInt8] {
        let rest = Mutex(sample[...])
        let written = Mutex<[UInt8]>([])
        try await ExternalProcess(command) { logger.info("compressor stderr: \($0)") }.run {
            rest.withLock { rest -> ByteBuffer? in
                let piece = rest.prefix(1 << 16)
                rest = rest.dropFirst(piece.count)
                return piece.isEmpty ? nil : ByteBuffer(bytes: piece)
            }
        } output: { piece in
            try written.withLock { written in
                written.append(contentsOf: piece.readableBytesView)
                guard written.count <= Self.sampleLimit else {
                    throw EngineError(
                        .unsupportedBackup,
                        "--external-compressor=\"\(command)\" makes more than \(Self.sampleLimit) bytes of \(sample.count): it is no compressor; HINT: try it by hand"
                    )
                }
            }
        }
        return written.withLock { $0 }
    }

    // MARK: Reading

    /// Stored bytes, given anew for each attempt to read them.
    private struct Stored: Sendable {
        var next: @Sendable () async throws -> ByteBuffer?

        init(_ next: @escaping @Sendable () async throws -> ByteBuffer?) { self.next = next }

        init(bytes: [UInt8]) {
            let rest = Mutex(ByteBuffer(bytes: bytes))
            next = {
                rest.withLock { $0.readableBytes == 0 ? nil : $0.readSlice(length: min($0.readableBytes, 1 << 16)) }
            }
        }
    }

    /// Decodes stored bytes with the first reader that can be run.
    /// - Returns: false when no reader is known that can.
    /// - Throws: ``EngineError`` when something else than what is expected comes out.
    private func reads(_ stored: Stored, as what: String, expecting expected: Digest) async throws -> Bool {
        for reader in dataPlane.recorded.readers {
            let found: Digest
            do {
                found = try await digest(stored, as: reader)
            } catch let error as ProcessError where error.code == .notRunnable {
                logger.warning("\(error)")
                continue
            } catch  where error is CompressionError || error is ProcessError {
                throw unreadable(what, error)
            }
            guard found == expected else { throw unreadable(what, nil) }
            return true
        }
        return false
    }

    private func unreadable(_ what: String, _ error: (any Error)?) -> EngineError {
        guard case .external(let command) = dataPlane.codec else {
            return EngineError(.copyFailed, "\(what) does not read back as what was written", cause: error)
        }
        return EngineError(
            .unsupportedBackup,
            "--external-compressor=\"\(command)\" does not go with what the MANIFEST would say (--compression-engine-name=\(dataPlane.recorded.engine)): \(what) does not decode to what was compressed, and nobody could restore the backup; HINT: give --compression-engine-name=external and, for those who restore it, --manifest-external-decompressor",
            cause: error
        )
    }

    private func digest(_ stored: Stored, as format: StoredFormat) async throws -> Digest {
        let result = Mutex(Digest())
        if case .external(let command) = format {
            try await ExternalProcess(command) { logger.info("decompressor stderr: \($0)") }.run(
                input: stored.next,
                output: { content in result.withLock { $0.add(content) } }
            )
            return result.withLock { $0 }
        }
        let decoder = SingleUse(format.makeStreamDecoder())
        var isFirst = true
        while let piece = try await stored.next() {
            if isFirst { try piece.withUnsafeReadableBytes { try format.recognize($0) } }
            isFirst = false
            try await dataPlane.threads.run {
                guard let stream = decoder.value else { return result.withLock { $0.add(piece) } }
                let scratch = RawBuffer(count: 1 << 18)
                try piece.withUnsafeReadableBytes { bytes in
                    try stream.decode(next: bytes, scratch: scratch.bytes) { content in
                        result.withLock { $0.add(content) }
                    }
                }
            }
        }
        try decoder.value?.endStream()
        return result.withLock { $0 }
    }

    /// A decoder that goes from thread to thread, one job at a time.
    private struct SingleUse: @unchecked Sendable {
        let value: (any StreamDecoder)?

        init(_ value: (any StreamDecoder)?) { self.value = value }
    }
}

/// Enough of some content to tell it from any other that a fault makes of it.
private struct Digest: Hashable, Sendable {
    private var crc = CRC32()
    private var count = 0

    init() {}

    init(of bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

    /// Of a whole file; blocking.
    init(ofFile path: FilePath) throws {
        try fileCall("read", path) {
            let file = try FileTree.open(path, .readOnly)
            try file.closing {
                let room = RawBuffer(count: 1 << 20)
                while case let part = try file.readFully(into: room.bytes, at: Int64(count)), part > 0 {
                    add(UnsafeRawBufferPointer(rebasing: room.bytes[..<part]))
                }
            }
        }
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        crc.update(bytes)
        count += bytes.count
    }

    mutating func add(_ bytes: ByteBuffer) { bytes.withUnsafeReadableBytes { add($0) } }
}

/// Passes an object's bytes on and hashes them.
private final class StoredDigest: Sendable {
    private let source: any ObjectSource
    private let state = Mutex(CRC32())

    init(_ source: any ObjectSource) { self.source = source }

    var crc: UInt32 { state.withLock { $0.value } }

    @Sendable
    func next() async throws -> ByteBuffer? {
        let piece = try await source.next()
        if let piece { state.withLock { $0.update(piece) } }
        return piece
    }
}
