import Catalog
import FoundationEssentials
import Observability
import Positions
import Vocabulary
import Workflows

/// The output of `--list-backups`: a table for people, or the documented JSON.
struct BackupListing {
    let shard: ShardPath
    let backups: [ListedBackup]

    /// One backup in JSON.
    ///
    /// Absent values are unknown.
    private struct Entry: Encodable {
        var name: String
        var complete: Bool
        var incompleteReason: String?
        var engine: String?
        var kind: String?
        var position: String?
        var startedAt: String?
        var finishedAt: String?
        var durationSeconds: Double?
        var files: Int?
        var sizeBytes: Int64?
        var storedBytes: Int64?
        var mysqlVersion: String?
        /// `good` or `bad`; absent when it was not verified.
        var verification: String?
        var verificationReason: String?
        var verifiedAt: String?
        /// When a pass could not catch up from it first; absent when none failed.
        var notCaughtUpSince: String?
        var notCaughtUpReason: String?
        /// `true` when the position has tagged GTIDs, which Vitess cannot read; else absent.
        var hasTaggedGtids: Bool?

        init(_ backup: ListedBackup) {
            let (verification, catchUpFailure) = (backup.verification.record, backup.catchUpFailure.record)
            notCaughtUpSince = catchUpFailure.map { BackupTimestamp.rfc3339($0.since) }
            notCaughtUpReason = catchUpFailure?.reason
            self.verification = verification?.result.rawValue
            verificationReason = verification?.reason
            verifiedAt = verification.map { BackupTimestamp.rfc3339($0.time) }
            name = backup.name
            complete = backup.storedManifest != nil
            incompleteReason = backup.stored.problem
            startedAt = backup.time.map(BackupTimestamp.rfc3339)
            files = backup.fileCount
            sizeBytes = backup.sizes?.raw
            storedBytes = backup.sizes?.stored
            guard let manifest = backup.storedManifest else { return }
            engine = manifest.method.description
            kind = manifest.incremental ? "incremental" : "full"
            position = manifest.position.encoded
            finishedAt = manifest.finishedTime.map(BackupTimestamp.rfc3339)
            durationSeconds = manifest.duration
            mysqlVersion = manifest.mysqlVersion
            hasTaggedGtids = manifest.position?.hasTags == true ? true : nil
        }
    }

    private struct Document: Encodable {
        var keyspace: String
        var shard: String
        var backups: [Entry]
    }

    /// The JSON document.
    func json() throws -> String {
        let document = Document(
            keyspace: shard.keyspace,
            shard: shard.shard,
            backups: backups.map { Entry($0) }
        )
        return try JSONText.encode(document)
    }

    /// The table.
    var table: String {
        let header = [
            "NAME", "STATE", "ENGINE", "KIND", "FILES", "SIZE", "STORED", "TIME", "RATE", "VERIFIED", "NOTES",
            "POSITION",
        ]
        let rows = backups.map { backup -> [String] in
            guard let manifest = backup.storedManifest else {
                if backup.isForeign {
                    return [PrintableText.excerpt(backup.name), "not a backup"] + Array(repeating: "-", count: 10)
                }
                let state = backup.isUnreadable ? "unreadable" : "incomplete"
                return [backup.name, state] + Array(repeating: "-", count: 9) + [backup.stored.problem ?? ""]
            }
            let duration = manifest.duration
            let rate = duration.flatMap { seconds in
                backup.sizes.map { ProgressLine.bytes(Int64(Double($0.raw) / max(seconds, 1))) + "/s" }
            }
            return [
                backup.name, "complete", manifest.method.description, manifest.incremental ? "incremental" : "full",
                backup.fileCount.map(String.init) ?? "-", backup.sizes.map { ProgressLine.bytes($0.raw) } ?? "-",
                backup.sizes.map { ProgressLine.bytes($0.stored) } ?? "-",
                duration.map { ProgressLine.seconds($0) } ?? "-", rate ?? "-",
                backup.verification.record?.result.rawValue ?? "-", notes(backup, manifest),
                manifest.position.encoded,
            ]
        }
        return TextTable.render([header] + rows)
    }

    private func notes(_ backup: ListedBackup, _ manifest: Manifest) -> String {
        var notes: [String] = []
        if let failure = backup.catchUpFailure.record {
            notes.append("not caught up since \(BackupTimestamp.rfc3339(failure.since))")
        }
        if manifest.position?.hasTags == true { notes.append("tagged GTIDs, not for Vitess") }
        return notes.isEmpty ? "-" : notes.joined(separator: "; ")
    }
}

/// Columns of equal width; cells may hold names from anywhere.
enum TextTable {
    static func render(_ rows: [[String]]) -> String {
        let rows = rows.map { row in row.map { PrintableText.line($0) } }
        guard let columns = rows.first?.count else { return "" }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map {
                $0.offset == columns - 1
                    ? $0.element : $0.element + String(repeating: " ", count: widths[$0.offset] - $0.element.count)
            }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n") + "\n"
    }
}

/// JSON for people and scripts: sorted keys, indented, slashes as they are.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return PrintableText.json(String(decoding: try encoder.encode(value), as: UTF8.self)) + "\n"
    }
}
