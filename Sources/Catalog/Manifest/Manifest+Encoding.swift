import Positions
import Vocabulary

extension Manifest {
    /// The bytes of the `MANIFEST` object.
    package func encoded() -> [UInt8] {
        var writer = GoJSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Gives the bytes of the `MANIFEST` object away in pieces: those of 200,000 files are 50 MB.
    package func encode(to give: @escaping ([UInt8]) -> Void) {
        var writer = GoJSONWriter(givingTo: give)
        write(to: &writer)
        writer.finish()
    }

    private func write(to writer: inout GoJSONWriter) {
        writer.object { writer in
            writer.field("BackupName", backupName)
            writer.field("BackupMethod", "\(method)")
            writer.field("Position", position.encoded)
            writer.field("PurgedPosition", purgedPosition.encoded)
            writer.field("FromPosition", fromPosition.encoded)
            writer.field("FromBackup", fromBackup)
            writer.field("Incremental", incremental)
            writer.field("BackupTime", backupTime.map(BackupTimestamp.rfc3339) ?? "")
            writer.field("FinishedTime", finishedTime.map(BackupTimestamp.rfc3339) ?? "")
            writer.field("ServerUUID", serverUUID)
            writer.field("TabletAlias", tabletAlias)
            if let hostname { writer.field("Hostname", hostname) }
            writer.field("Keyspace", keyspace)
            writer.field("Shard", shard)
            writer.field("MySQLVersion", mysqlVersion)
            writer.field("UpgradeSafe", upgradeSafe)
            if let incrementalDetails {
                writer.key("IncrementalDetails")
                writer.object { writer in
                    writer.field("FirstTimestamp", incrementalDetails.firstTimestamp)
                    writer.field("FirstTimestampBinlog", incrementalDetails.firstTimestampBinlog)
                    writer.field("LastTimestamp", incrementalDetails.lastTimestamp)
                    writer.field("LastTimestampBinlog", incrementalDetails.lastTimestampBinlog)
                }
            } else {
                writer.null("IncrementalDetails")
            }
            switch details {
            case .builtin(let builtin): builtin.write(to: &writer)
            case .xtrabackup(let xtrabackup): xtrabackup.write(to: &writer)
            case .mysqlShell(let mysqlShell): mysqlShell.write(to: &writer)
            case .other: break
            }
        }
    }
}

extension Manifest.XtraBackup {
    fileprivate func write(to writer: inout GoJSONWriter) {
        if !compressionEngine.isEmpty { writer.field("CompressionEngine", compressionEngine) }
        writer.field("FileName", fileName)
        writer.field("ExtraCommandLineParams", extraCommandLineParams)
        writer.field("StreamMode", streamMode)
        writer.field("NumStripes", numStripes)
        writer.field("StripeBlockSize", stripeBlockSize)
        writer.field("SkipCompress", skipCompress)
        writer.field("ExternalDecompressor", externalDecompressor)
    }
}

extension Manifest.MySQLShell {
    fileprivate func write(to writer: inout GoJSONWriter) {
        writer.field("BackupLocation", backupLocation)
        writer.field("Params", params)
    }
}

extension Manifest.Builtin {
    fileprivate func write(to writer: inout GoJSONWriter) {
        precondition(counted == nil, "a manifest whose files were not kept cannot be written")
        if !compressionEngine.isEmpty { writer.field("CompressionEngine", compressionEngine) }
        if files.isEmpty {
            writer.null("FileEntries")
        } else {
            writer.key("FileEntries")
            writer.array(files) { writer, file in file.write(to: &writer) }
        }
        writer.field("SkipCompress", skipCompress)
        writer.field("ExternalDecompressor", externalDecompressor)
        if !files.isEmpty, files.allSatisfy({ $0.sizes != nil }) {
            writer.key("Extensions")
            writer.object { writer in
                writer.field("Format", Int64(1))
                writer.key("Files")
                writer.array(files.compactMap(\.sizes)) { writer, sizes in
                    writer.object { writer in
                        writer.field("Size", sizes.raw)
                        writer.field("StoredSize", sizes.stored)
                    }
                }
            }
        }
    }
}

extension FileEntry {
    fileprivate func write(to writer: inout GoJSONWriter) {
        writer.object { writer in
            writer.field("Base", base.rawValue)
            writer.field("Name", name)
            writer.field("Hash", chunks.isEmpty ? Self.hexadecimal(hash) : "")
            writer.field("ParentPath", "")
            if !chunks.isEmpty {
                writer.key("Chunks")
                writer.array(chunks) { writer, chunk in
                    writer.object { writer in
                        writer.field("StorageName", chunk.storageName)
                        writer.field("Offset", chunk.offset)
                        writer.field("Size", chunk.size)
                        writer.field("Hash", Self.hexadecimal(chunk.hash))
                    }
                }
            }
        }
    }

    /// Eight lower-case hexadecimal digits, as the manifest carries hashes.
    package static func hexadecimal(_ hash: UInt32) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
