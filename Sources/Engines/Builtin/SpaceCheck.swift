import Catalog
import Compression
import Concurrency
import Host
import Logging
import MySQLControl
import Storage
import Synchronization
import SystemPackage

/// Compares what a restore needs with what the file systems have, before the first byte is written.
struct SpaceCheck: Sendable {
    let dataPlane: DataPlane
    let logger: Logger
    /// Looks at the file system of a path.
    var space: @Sendable (FilePath) throws -> FileSystemSpace = { try FileSystemSpace(of: $0) }

    /// Objects of one backup that are asked for their size at once.
    private static let objectsAtOnce = 16

    /// - Throws: ``EngineError`` with code `noSpace` that names the file system; nothing was written then.
    func run(
        _ manifest: Manifest,
        _ builtin: Manifest.Builtin,
        as format: StoredFormat,
        from reader: any BackupReader,
        to directory: TabletDirectory
    ) async throws {
        let files = builtin.files.enumerated().filter { !$0.element.name.isEmpty }
        guard files.allSatisfy({ $0.element.sizes != nil }) else {
            return try await estimate(builtin, from: reader, to: directory)
        }
        var needed: [BaseDirectory: Int64] = [:]
        for (_, file) in files { needed[file.base, default: 0].add(file.sizes?.raw ?? 0) }
        for share in try await shares(needed, directory) where share.bytes > share.system.available {
            let text = "it needs \(share.bytes) bytes on \(share.system)"
            if share.system.isElastic {
                logger.warning("backup \(manifest.backupName) may not fit: \(text), which may hold more than that")
                continue
            }
            let probe = HoleProbe(format: format, reader: reader, dataPlane: dataPlane)
            let saved = try await probe.saved(
                by: files.map { (index: $0.offset, file: $0.element) }.filter { share.bases.contains($0.file.base) },
                wanted: share.bytes - share.system.available
            )
            guard share.bytes - saved <= share.system.available else {
                throw EngineError(
                    .noSpace,
                    "no room for backup \(manifest.backupName): \(text)\(saved > 0 ? ", or \(saved) less with the holes of page-compressed tables" : ""); HINT: free space there, or use a larger one"
                )
            }
            logger.warning(
                "backup \(manifest.backupName) may not fit: \(text), or up to \(saved) less, since tables in it are page-compressed and their holes take no room"
            )
        }
    }

    /// What goes to one file system.
    private struct Share: Sendable {
        var system: FileSystemSpace
        var bases: Set<BaseDirectory> = []
        var bytes: Int64 = 0
    }

    private func shares(_ needed: [BaseDirectory: Int64], _ directory: TabletDirectory) async throws -> [Share] {
        try await dataPlane.threads.run {
            var byDevice: [UInt64: Share] = [:]
            for (base, bytes) in needed {
                let space = try space(directory.disk(of: directory.folder(of: base)))
                byDevice[space.device, default: Share(system: space)].bases.insert(base)
                byDevice[space.device]?.bytes.add(bytes)
            }
            return Array(byDevice.values)
        }
    }

    /// What Vitess wrote does not tell its size: it is estimated from what is stored.
    private func estimate(
        _ builtin: Manifest.Builtin,
        from reader: any BackupReader,
        to directory: TabletDirectory
    ) async throws {
        guard let stored = try await storedBytes(builtin, from: reader) else { return }
        let factor = builtin.skipCompress ? 1 : builtin.effectiveCompressionEngine == "lz4" ? 1.4 : 2.4
        for share in try await shares(stored, directory) {
            let (system, bytes) = (share.system, share.bytes)
            let guess = Int64(clamping: Int(min(Double(bytes) * factor, 1e18)))
            // No compressor makes files larger than they are: so much is needed for sure.
            if bytes > system.available, !system.isElastic {
                throw EngineError(
                    .noSpace,
                    "no room for backup \(reader.name): its manifest tells no sizes, \(bytes) bytes are stored, and \(system); HINT: free space there, or use a larger one"
                )
            }
            if guess > system.available {
                logger.warning(
                    "backup \(reader.name) may not fit: its manifest tells no sizes, \(guess) bytes are estimated from what is stored, and \(system)"
                )
            }
        }
    }

    /// - Returns: the bytes of all objects, by where their files go; `nil` when the store cannot tell.
    private func storedBytes(
        _ builtin: Manifest.Builtin,
        from reader: any BackupReader
    ) async throws -> [BaseDirectory: Int64]? {
        let stored = Mutex<[BaseDirectory: Int64]>([:])
        let isUnknown = Mutex(false)
        let files = builtin.files.enumerated().lazy.map { ($0.offset, $0.element) }
        try await forEach(in: files, atMost: Self.objectsAtOnce) { index, file in
            guard !file.name.isEmpty else { return }
            let objects =
                try file.chunks.isEmpty ? [ObjectName.file(index)] : file.chunks.map { try ObjectName($0.storageName) }
            for object in objects where !isUnknown.withLock({ $0 }) {
                guard let size = try await reader.size(of: object) else { return isUnknown.withLock { $0 = true } }
                stored.withLock { $0[file.base, default: 0].add(size) }
            }
        }
        return isUnknown.withLock { $0 } ? nil : stored.withLock { $0 }
    }
}

extension Int64 {
    /// Adds; a sum that no disk has stays the largest number.
    mutating func add(_ other: Int64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
