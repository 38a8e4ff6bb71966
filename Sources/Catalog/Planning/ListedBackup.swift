package import FoundationEssentials

/// What storage holds under one name of a shard's folder.
package struct ListedBackup: Hashable, Sendable {
    /// Whether a backup can be restored at all. There is no other mark than a readable MANIFEST.
    package enum State: Hashable, Sendable {
        case complete(Manifest)
        /// No readable manifest, with the reason.
        case incomplete(String)
    }

    package var name: String
    package var state: State

    /// Creates a listing entry.
    package init(name: String, state: State) {
        (self.name, self.state) = (name, state)
    }

    /// The parsed name; `nil` for a folder that is no backup of ours or Vitess's.
    package var parsedName: BackupName? { try? BackupName(name) }

    /// When the backup was started, from its name.
    package var time: Date? { parsedName?.time }

    /// The manifest of a complete backup.
    package var manifest: Manifest? {
        if case .complete(let manifest) = state { manifest } else { nil }
    }
}
