package import FoundationEssentials
package import Vocabulary

/// What storage holds under one name of a shard's folder, and whether it can be used: loaded once, refined by what a pass
/// learns.
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

        /// Why it cannot be restored.
        package var problem: String? {
            switch self {
            case .complete: nil
            case .foreign: "not a backup: its name is not date.time.tablet-alias"
            case .incomplete(let reason), .unreadable(let reason): reason
            }
        }
    }

    /// What a note beside a backup says.
    package enum Known<Record: Hashable & Sendable>: Hashable, Sendable {
        case nothing
        case record(Record)
        /// Storage could not tell, with the reason.
        case unreadable(String)

        /// The record, if there is one and it could be read.
        package var record: Record? { if case .record(let record) = self { record } else { nil } }
    }

    package var name: String
    /// What is stored: whether there is a MANIFEST.
    package private(set) var stored: State
    /// What came out when it was restored to see whether it is good.
    package var verification = Known<VerificationRecord>.nothing
    /// That a pass could not go on from it, however good it is.
    package var catchUpFailure = Known<CatchUpRecord>.nothing
    /// What the pass that is running has found against it.
    package var finding: String?

    /// Creates a listing entry; keeps the sums of the manifest's file entries, not the entries.
    package init(name: String, state: State) {
        (self.name, stored) = (name, state)
        guard case .complete(var manifest) = state else { return }
        manifest.builtin?.dropFiles()
        stored = .complete(manifest)
    }

    /// What it counts as, by all that is known of it.
    ///
    /// One that did not verify is as good as incomplete. What this pass could not restore may have been storage's fault for a
    /// moment, and what nobody knows may be good: neither counts among the good ones, and neither is removed.
    package var state: State {
        guard case .complete = stored else { return stored }
        if let finding { return .unreadable(finding) }
        return switch verification {
        case .nothing: stored
        case .record(let record): record.refusal.map { .incomplete($0) } ?? stored
        case .unreadable(let reason): .unreadable("whether it was verified cannot be read: \(reason)")
        }
    }

    /// As ``state`` is when a result that cannot be read counts as none: whoever restores it sees by the hashes.
    package var asBase: ListedBackup {
        var backup = self
        if case .unreadable = verification { backup.verification = .nothing }
        return backup
    }

    /// Why a complete backup must not be used; `nil`: nothing is known against it.
    package var objection: String? {
        guard case .complete = stored else { return nil }
        return finding ?? verification.record?.refusal
    }

    /// Number of its files, when its manifest lists them.
    package var fileCount: Int? { storedManifest?.builtin?.totals.count }

    /// Their bytes, when its manifest knows them.
    package var sizes: FileEntry.Sizes? { storedManifest?.builtin?.totalSizes }

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

    /// Why it does not count as complete.
    package var problem: String? { state.problem }

    /// The manifest of a backup that counts as complete.
    package var manifest: Manifest? {
        if case .complete(let manifest) = state { manifest } else { nil }
    }

    /// The manifest that is stored, whatever is known against the backup.
    package var storedManifest: Manifest? {
        if case .complete(let manifest) = stored { manifest } else { nil }
    }
}
