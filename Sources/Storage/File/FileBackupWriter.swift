import Concurrency
import Glibc
import Host
import NIOCore
import Synchronization
import SystemPackage

/// Writes the objects of one backup as files.
struct FileBackupWriter: BackupWriter {
    let name: String
    let folder: FilePath
    let removal: FolderRemoval
    let owner: FolderOwner
    let threads: BlockingThreads

    func put(_ object: ObjectName, sizeHint: Int64?, body: (any ObjectSink) async throws -> Void) async throws -> Int64
    {
        try object.checkForPut()
        let path = folder.appending(object.description)
        let file = try await threads.run { try FileSink.create(path, owner) }
        let sink = FileSink(descriptor: file, path: path, threads: threads)
        do {
            try await body(sink)
        } catch {
            try? await shielded {
                try await threads.run {
                    // A part of an object must not be found under its name.
                    try? FileTree.remove(path)
                    try file.finish()
                }
            }
            throw error
        }
        return try await shielded {
            try await threads.run {
                try fileCall("close", path) {
                    try file.closing {
                        try FileTree.sync(file, path)
                        // What the file system says, not what we believe to have written.
                        return try file.sizeAndChange().size
                    }
                }
            }
        }
    }

    func commit(manifest: ByteBuffer) async throws {
        let bytes = manifest.readableBytesView
        try await threads.run {
            let target = folder.appending(ObjectName.manifest.description)
            let draft = folder.appending(".MANIFEST.part")
            // The data files' names first: a manifest must never be found without them.
            try FileTree.sync(directory: folder)
            try ReplacedFile.create(draft, bytes, owner)
            do {
                try FileTree.rename(draft, to: target)
            } catch {
                // Where nothing can be renamed it is written in its place: no part of it is a whole JSON object.
                guard (try? ReplacedFile.create(target, bytes, owner)) != nil else { throw error }
                try? FileTree.remove(draft)
            }
            try FileTree.sync(directory: folder)
        }
    }

    func abort() async throws {
        try await shielded { try await threads.run { try removal.run(folder) } }
    }
}

/// Appends to one open file.
private final class FileSink: ObjectSink {
    private let descriptor: SystemPackage.FileDescriptor
    private let path: FilePath
    private let threads: BlockingThreads
    private let written = Mutex<Int64>(0)
    private let writeBehind: WriteBehind

    init(descriptor: SystemPackage.FileDescriptor, path: FilePath, threads: BlockingThreads) {
        (self.descriptor, self.path, self.threads) = (descriptor, path, threads)
        writeBehind = WriteBehind(descriptor)
    }

    static func create(_ path: FilePath, _ owner: FolderOwner) throws -> SystemPackage.FileDescriptor {
        let file = try ReplacedFile.open(path)
        owner.apply(to: file, path)
        return file
    }

    func write(_ bytes: ByteBuffer) async throws {
        let start = written.withLock { written in
            defer { written += Int64(bytes.readableBytes) }
            return written
        }
        try await threads.run { [descriptor, path, writeBehind] in
            try fileCall("write", path) {
                try bytes.withUnsafeReadableBytes { try descriptor.writeFully($0, at: start) }
                try writeBehind.wrote(bytes.readableBytes)
            }
        }
    }
}
