import Concurrency
import Host
import NIOCore
import Synchronization
import SystemPackage

/// Reads the objects of one backup from files.
struct FileBackupReader: BackupReader {
    private static let pieceSize = 1 << 20

    let name: String
    let folder: FilePath
    let threads: BlockingThreads

    func withObject<Result: Sendable>(
        _ object: ObjectName,
        body: (any ObjectSource) async throws -> Result
    ) async throws -> Result {
        let path = folder.appending(object.description)
        let file = try await threads.run { try open(path, object) }
        return try await withCleanup {
            try await body(FileSource(descriptor: file, path: path, pieceSize: Self.pieceSize, threads: threads))
        } cleanup: {
            try await threads.run { try file.finish() }
        }
    }

    func size(of object: ObjectName) async throws -> Int64? {
        let path = folder.appending(object.description)
        let status = try await threads.run { try FileTree.status(path) }
        guard let status, status.kind == .regular else {
            throw StorageError(.notFound, "no object \(object) in backup \(name)")
        }
        return status.size
    }

    private func open(_ path: FilePath, _ object: ObjectName) throws -> SystemPackage.FileDescriptor {
        do {
            let file = try FileTree.open(path, .readOnly)
            file.adviseSequential()
            return file
        } catch {
            // What is no file can never be read: it is as good as nothing.
            guard [.noSuchFileOrDirectory, .notDirectory, .noSuchAddressOrDevice].contains(error.errno) else {
                throw error
            }
            throw StorageError(.notFound, "no object \(object) in backup \(name)", cause: error)
        }
    }
}

private final class FileSource: ObjectSource {
    private let descriptor: SystemPackage.FileDescriptor
    private let path: FilePath
    private let pieceSize: Int
    private let threads: BlockingThreads
    private let offset = Mutex<Int64>(0)

    init(descriptor: SystemPackage.FileDescriptor, path: FilePath, pieceSize: Int, threads: BlockingThreads) {
        (self.descriptor, self.path, self.pieceSize, self.threads) = (descriptor, path, pieceSize, threads)
    }

    func next() async throws -> ByteBuffer? {
        let start = offset.withLock { $0 }
        let piece = try await threads.run { [descriptor, path, pieceSize] in
            try fileCall("read", path) {
                var buffer = ByteBufferAllocator().buffer(capacity: pieceSize)
                try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pieceSize) { target in
                    try descriptor.readFully(
                        into: UnsafeMutableRawBufferPointer(rebasing: target[..<pieceSize]),
                        at: start
                    )
                }
                descriptor.adviseDone(offset: start, count: buffer.readableBytes)
                return buffer
            }
        }
        offset.withLock { $0 += Int64(piece.readableBytes) }
        return piece.readableBytes > 0 ? piece : nil
    }
}
