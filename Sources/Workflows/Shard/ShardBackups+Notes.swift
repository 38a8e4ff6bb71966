package import Catalog
import FoundationEssentials
import Storage

extension ShardBackups {
    /// What is known of a backup besides its MANIFEST; `nil`: nothing.
    package func verification(of name: String) async throws -> VerificationRecord? {
        try await storage.note(at: Note.Place(.verification, of: shard, backup: name)).flatMap {
            VerificationRecord($0.bytes)
        }
    }

    /// Leaves word of what came out, in place of what was known.
    func leave(_ record: VerificationRecord, at name: String) async throws {
        _ = try await storage.writeNote(
            try record.encoded(),
            at: Note.Place(.verification, of: shard, backup: name),
            expecting: .anything
        )
    }

    // MARK: Catching up

    private func place(_ name: String) -> Note.Place { Note.Place(.catchUp, of: shard, backup: name) }

    /// Whether a pass has failed to catch up from this backup; `nil`: none has.
    package func catchUpFailure(of name: String) async throws -> CatchUpRecord? {
        try await storage.note(at: place(name)).flatMap { CatchUpRecord($0.bytes) }
    }

    /// Leaves word that a pass could not catch up from it; the moment of the first time stays.
    func leaveCatchUpFailure(_ reason: String, at name: String, now: Date) async throws {
        let known = try? await catchUpFailure(of: name)
        let record = CatchUpRecord(since: known?.since ?? now, last: now, reason: reason)
        _ = try await storage.writeNote(try record.encoded(), at: place(name), expecting: .anything)
    }

    /// A pass has gone on from it after all.
    func forgetCatchUpFailure(of name: String) async throws {
        try await storage.removeNote(at: place(name), expecting: .anything)
    }
}
