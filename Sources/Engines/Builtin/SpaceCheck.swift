import Catalog
import Compression
import Logging
import MySQLControl
import Storage
import Streams
import SystemPackage

/// Compares what a restore needs with what the file systems have, before the first byte is written.
struct SpaceCheck: Sendable {
    let dataPlane: DataPlane
    let logger: Logger

    /// - Throws: ``EngineError`` with code `noSpace` that names the file system; nothing was written then.
    func run(
        _ manifest: Manifest,
        _ builtin: Manifest.Builtin,
        from reader: any BackupReader,
        to directory: TabletDirectory
    ) async throws {
        let files = builtin.files.enumerated().filter { !$0.element.name.isEmpty }
        guard files.allSatisfy({ $0.element.sizes != nil }) else {
            return try await estimate(builtin, from: reader, to: directory)
        }
        var needed: [BaseDirectory: Int64] = [:]
        for (_, file) in files { needed[file.base, default: 0].add(file.sizes?.raw ?? 0) }
        for (system, bytes) in try await spaces(needed, directory) where bytes > system.available {
            let text = "it needs \(bytes) bytes on \(system)"
            guard system.isElastic else {
                throw EngineError(
                    .noSpace,
                    "no room for backup \(manifest.backupName): \(text); HINT: free space there, or use a larger one"
                )
            }
            logger.warning("backup \(manifest.backupName) may not fit: \(text), which may hold more than that")
        }
    }

    private func spaces(
        _ needed: [BaseDirectory: Int64],
        _ directory: TabletDirectory
    ) async throws -> [FileSystemSpace: Int64] {
        try await dataPlane.threads.run {
            var byDevice: [UInt64: (FileSystemSpace, Int64)] = [:]
            for (base, bytes) in needed {
                let space = try FileSystemSpace(of: directory.disk(of: base))
                byDevice[space.device, default: (space, 0)].1.add(bytes)
            }
            return Dictionary(uniqueKeysWithValues: byDevice.values.map { ($0.0, $0.1) })
        }
    }

    /// What Vitess wrote does not tell its size: it is estimated from what is stored.
    private func estimate(
        _ builtin: Manifest.Builtin,
        from reader: any BackupReader,
        to directory: TabletDirectory
    ) async throws {
        var stored: [BaseDirectory: Int64] = [:]
        for (index, file) in builtin.files.enumerated() where !file.name.isEmpty {
            let objects =
                try file.chunks.isEmpty ? [ObjectName.file(index)] : file.chunks.map { try ObjectName($0.storageName) }
            for object in objects {
                guard let size = try await reader.size(of: object) else { return }
                stored[file.base, default: 0].add(size)
            }
        }
        let factor = builtin.skipCompress ? 1 : builtin.effectiveCompressionEngine == "lz4" ? 1.4 : 2.4
        for (system, bytes) in try await spaces(stored, directory) {
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
}

extension Int64 {
    /// Adds; a sum that no disk has stays the largest number.
    fileprivate mutating func add(_ other: Int64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
