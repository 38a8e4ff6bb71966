package import Vocabulary

/// A small object beside the backups of a shard, or in one of them, that is replaced as a whole.
///
/// Leases, and what becomes known of a backup after its commit. Vitess's listings and restores do not look at them.
package struct Note: Hashable, Sendable {
    /// Where a note lies.
    package struct Place: Hashable, Sendable, CustomStringConvertible {
        /// Which one of a folder's notes.
        package enum Kind: String, Hashable, Sendable, CaseIterable {
            /// Who works on the shard, or on an unfinished backup.
            case lease = ".vtbackup-lease"
            /// The result of restoring a backup to see whether it is good.
            case verification = "VERIFIED"
            /// That a pass could not catch up with the primary from a backup.
            case catchUp = "NOT-CAUGHT-UP"
        }

        package var shard: ShardPath
        /// `nil`: beside the backups.
        package var backup: String?
        package var kind: Kind

        /// A note beside the shard's backups, or in the folder of `backup`.
        package init(_ kind: Kind, of shard: ShardPath, backup: String? = nil) {
            (self.shard, self.backup, self.kind) = (shard, backup, kind)
        }

        package var description: String { "\(shard)/\(backup.map { $0 + "/" } ?? "")\(kind.rawValue)" }
    }

    /// What must be there for a write to happen.
    package enum Expectation: Hashable, Sendable {
        case nothing
        /// The note as it was read.
        case version(String)
        case anything
    }

    package var bytes: [UInt8]
    /// Changes with every write; opaque.
    package var version: String

    /// More than any note has.
    package static let maximumSize = 1 << 16

    /// Creates a note as it was read.
    package init(bytes: [UInt8], version: String) {
        (self.bytes, self.version) = (bytes, version)
    }
}
