package import FoundationEssentials
import Storage

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
    init?(_ bytes: [UInt8]) {
        guard let record = NoteJSON.decode(CatchUpRecord.self, bytes), record.format == 1 else { return nil }
        self = record
    }
}

extension ShardBackups {
    private func place(_ name: String) -> Note.Place { Note.Place(.catchUp, of: shard, backup: name) }

    /// Whether a pass has failed to catch up from this backup; `nil`: none has.
    package func catchUpFailure(of name: String) async throws -> CatchUpRecord? {
        try await storage.note(at: place(name)).flatMap { CatchUpRecord($0.bytes) }
    }

    /// Leaves word that a pass could not catch up from it; the moment of the first time stays.
    func leaveCatchUpFailure(_ reason: String, at name: String, now: Date) async throws {
        let known = try? await catchUpFailure(of: name)
        let record = CatchUpRecord(since: known?.since ?? now, last: now, reason: reason)
        _ = try await storage.writeNote(try NoteJSON.encode(record), at: place(name), expecting: .anything)
    }

    /// A pass has gone on from it after all.
    func forgetCatchUpFailure(of name: String) async throws {
        try await storage.removeNote(at: place(name), expecting: .anything)
    }
}
