import Catalog
import FoundationEssentials

/// The JSON of a lease: who works there, since when, and when they last said so.
///
/// Specified in `Documentation/formats/lease.md`.
struct LeaseRecord: Hashable, Sendable, Codable {
    var format = 1
    var holder: LeaseHolder
    var since: Date
    var renewed: Date
    /// Seconds without renewal after which the holder is taken for dead, and takes itself for dead.
    var lifetime: Double

    enum CodingKeys: String, CodingKey {
        case format = "Format"
        case holder = "Lease"
        case since = "Since"
        case renewed = "Renewed"
        case lifetime = "LifetimeSeconds"
    }

    /// When it ends unless it is renewed.
    var expiry: Date { renewed.addingTimeInterval(lifetime) }

    /// Reads a record.
    /// - Returns: `nil` for what is none: it is treated like one that was never written.
    init?(_ bytes: [UInt8]) {
        guard let record = NoteJSON.decode(LeaseRecord.self, bytes), record.format == 1,
            record.lifetime > 0, record.lifetime <= Self.longestLifetime
        else { return nil }
        self = record
    }

    /// Creates a fresh record.
    init(holder: LeaseHolder, since: Date, lifetime: Double) {
        (self.holder, self.since, renewed, self.lifetime) = (holder, since, since, lifetime)
    }

    /// The document.
    func encoded() throws -> [UInt8] { try NoteJSON.encode(self) }

    /// More than any of ours has; a record that asks for more would keep everybody out.
    private static let longestLifetime = 3600.0
}
