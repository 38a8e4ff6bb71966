package import FoundationEssentials
package import Vocabulary

/// What storage holds under one name of a shard's folder.
package struct ListedBackup: Hashable, Sendable {
    /// Whether a backup can be restored at all.
    ///
    /// There is no other mark than a readable MANIFEST.
    package enum State: Hashable, Sendable {
        case complete(Manifest)
        /// No readable manifest, with the reason.
        case incomplete(String)
        /// Storage could not tell, with the reason: it may be a good one.
        case unreadable(String)
        /// Its name is no backup's: nobody has looked into it.
        case foreign
    }

    package var name: String
    package var state: State
    /// Creates a listing entry; keeps the sums of the manifest's file entries, not the entries.
    package init(name: String, state: State) {
        (self.name, self.state) = (name, state)
        guard case .complete(var manifest) = state else { return }
        manifest.builtin?.dropFiles()
        self.state = .complete(manifest)
    }

    /// Number of its files, when its manifest lists them.
    package var fileCount: Int? { manifest?.builtin?.totals.count }

    /// Their bytes, when its manifest knows them.
    package var sizes: FileEntry.Sizes? { manifest?.builtin?.totalSizes }

    /// The parsed name; `nil` for a folder that is no backup of ours or Vitess's.
    package var parsedName: BackupName? { try? BackupName(name) }

    /// When the backup was started, from its name.
    package var time: Date? { parsedName?.time }

    /// Whether storage could not tell what it is.
    package var isUnreadable: Bool {
        if case .unreadable = state { true } else { false }
    }

    /// Whether it is no backup by its name.
    package var isForeign: Bool { state == .foreign }

    /// Why it cannot be restored, as far as the listing knows.
    package var problem: String? {
        switch state {
        case .complete: nil
        case .foreign: "not a backup: its name is not date.time.tablet-alias"
        case .incomplete(let reason), .unreadable(let reason): reason
        }
    }

    /// The manifest of a complete backup.
    package var manifest: Manifest? {
        if case .complete(let manifest) = state { manifest } else { nil }
    }
}
