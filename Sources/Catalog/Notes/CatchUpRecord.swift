package import FoundationEssentials

/// The JSON of `NOT-CAUGHT-UP`: that a pass could not go on from a backup, however good the backup is.
///
/// Decides only from which base a pass starts; specified in `Documentation/formats/not-caught-up.md`.
package struct CatchUpRecord: Hashable, Sendable, Codable {
    var format = 1
    /// When that happened first.
    package var since: Date
    /// When it happened last.
    package var last: Date
    package var reason: String

    enum CodingKeys: String, CodingKey {
        case format = "Format"
        case since = "Since"
        case last = "Last"
        case reason = "Reason"
    }

    /// Says what happened when.
    package init(since: Date, last: Date, reason: String) {
        (self.since, self.last, self.reason) = (since, last, reason)
    }

    /// Reads a record; `nil` for what is none.
    package init?(_ bytes: [UInt8]) {
        guard let record = NoteJSON.decode(CatchUpRecord.self, bytes), record.format == 1 else { return nil }
        self = record
    }

    /// The document.
    package func encoded() throws -> [UInt8] { try NoteJSON.encode(self) }
}
