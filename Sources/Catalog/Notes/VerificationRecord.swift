package import FoundationEssentials

/// The JSON of `VERIFIED`: what came out when a backup was restored to see whether it is good.
///
/// Specified in `Documentation/formats/verified.md`.
package struct VerificationRecord: Hashable, Sendable, Codable {
    /// What came out.
    package enum Result: String, Hashable, Sendable, Codable {
        case good, bad
    }

    package var format = 1
    package var result: Result
    /// Why it is bad.
    package var reason: String?
    package var time: Date
    package var seconds: Double
    package var files: Int
    package var bytes: Int64
    /// InnoDB tables that the server checked; `nil`: it did not come so far.
    package var tables: Int?
    /// Of the restored server.
    package var position: String?
    package var mysqlVersion: String?

    enum CodingKeys: String, CodingKey {
        case format = "Format"
        case result = "Result"
        case reason = "Reason"
        case time = "Time"
        case seconds = "DurationSeconds"
        case files = "Files"
        case bytes = "Bytes"
        case tables = "Tables"
        case position = "Position"
        case mysqlVersion = "MySQLVersion"
    }

    /// Reads a record; `nil` for what is none.
    package init?(_ bytes: [UInt8]) {
        guard let record = NoteJSON.decode(VerificationRecord.self, bytes), record.format == 1 else {
            return nil
        }
        self = record
    }

    /// Why the backup must not be used; `nil` for a good one.
    package var refusal: String? {
        result == .bad ? "it did not verify: \(reason ?? "no reason is given")" : nil
    }

    /// Says what came out, as far as a restore tells.
    package init(result: Result, time: Date, seconds: Double, files: Int, bytes: Int64) {
        (self.result, self.time, self.seconds, self.files, self.bytes) = (result, time, seconds, files, bytes)
    }

    /// The document.
    package func encoded() throws -> [UInt8] { try NoteJSON.encode(self) }
}
