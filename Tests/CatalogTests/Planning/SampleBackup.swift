import FoundationEssentials
import Positions
import Testing

@testable import Catalog
@testable import Vocabulary

/// Listed backups for planning, by what matters there: name, kind, position.
enum SampleBackup {
    static func full(
        _ name: String,
        at intervals: String = "1-10",
        version: String = "",
        upgradeSafe: Bool = false,
        finished: String? = nil,
        engine: String = "builtin"
    ) throws
        -> ListedBackup
    {
        var manifest = Manifest(.init(BackupMethod(engine)))
        manifest.finishedTime = try finished.map { try moment($0) }
        manifest.backupName = name
        manifest.position = try SampleManifest.position(intervals)
        manifest.mysqlVersion = version
        manifest.upgradeSafe = upgradeSafe
        return ListedBackup(name: name, state: .complete(manifest))
    }

    static func incremental(
        _ name: String,
        at intervals: String,
        from: String,
        on base: String = ""
    ) throws -> ListedBackup {
        var manifest = Manifest()
        manifest.backupName = name
        manifest.position = try SampleManifest.position(intervals)
        manifest.fromPosition = try SampleManifest.position(from)
        manifest.fromBackup = base
        manifest.incremental = true
        return ListedBackup(name: name, state: .complete(manifest))
    }

    static func incomplete(_ name: String) -> ListedBackup {
        ListedBackup(name: name, state: .incomplete("MANIFEST is not there"))
    }

    /// A moment in RFC 3339.
    static func moment(_ text: String) throws -> Date { try #require(BackupTimestamp.parse(rfc3339: text)) }
}
