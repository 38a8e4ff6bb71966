import Logging
import MySQLControl
import Streams
import SystemPackage

/// Compares settings that the data depends on with the primary's: what our server makes must be readable under theirs.
struct SettingsCheck: Sendable {
    let primary: ShardPrimary
    let logger: Logger

    private static let limit = Duration.seconds(60)
    /// A server of another value does not start on the files, or does not find its tables.
    private static let decisive = ["lower_case_table_names", "innodb_page_size"]
    /// They decide on what a data directory looks like that is made anew; a restored one brings its own.
    private static let ofNewFiles = ["innodb_data_file_path"]
    /// They decide on what is made from now on, and what it is depends on the server only.
    private static let ofNewTables = [
        "innodb_checksum_algorithm", "innodb_default_row_format", "default_storage_engine", "innodb_undo_tablespaces",
    ]
    private static let folders = ["datadir", "innodb_data_home_dir", "innodb_undo_directory"]

    /// Asks both and compares; a primary that cannot be asked is a warning.
    /// - Parameters:
    ///   - server: ours.
    ///   - isFirst: whether its data directory was made anew.
    /// - Returns: where the primary keeps its undo tablespaces, when that is elsewhere than ours does.
    /// - Throws: ``WorkflowError`` for what makes a backup useless.
    func run(on server: any ReplicaServer, isFirst: Bool) async throws -> FilePath? {
        let names = Self.decisive + Self.ofNewFiles + Self.ofNewTables + Self.folders
        guard let theirs = try await settings(names) else { return nil }
        let ours = try await step(.mysqld, "cannot ask the server for its settings") {
            try await server.settings(names)
        }
        let refused = Self.differences(ours, theirs, Self.decisive + (isFirst ? Self.ofNewFiles : []))
        guard refused.isEmpty else {
            throw WorkflowError(
                .refused,
                "not taking backup: the primary would not start on it, or not read it: \(refused.joined(separator: ", ")); HINT: give vtbackup the primary's settings in EXTRA_MY_CNF"
            )
        }
        // With a base these files are as it had them.
        for difference in Self.differences(ours, theirs, Self.ofNewTables + (isFirst ? [] : Self.ofNewFiles)) {
            logger.warning(
                "the server of this pass has another setting than the primary, on which new files depend: \(difference)"
            )
        }
        return Self.undoElsewhere(ours, theirs)
    }

    private func settings(_ names: [String]) async throws -> [String: String]? {
        do {
            return try await withDeadline(Self.limit, operation: "asking the primary for its settings") {
                try await primary.tablets.settings(names, of: try await primary.tablet())
            }
        } catch {
            try Task.checkCancellation()
            logger.warning("cannot compare the settings that the data depends on with the primary's: \(error)")
            return nil
        }
    }

    /// Those that both have, with both values.
    static func differences(_ ours: [String: String], _ theirs: [String: String], _ names: [String]) -> [String] {
        names.compactMap { name in
            guard let our = ours[name], let their = theirs[name], our.lowercased() != their.lowercased() else {
                return nil
            }
            return "\(name) is \(their) there and \(our) here"
        }
    }

    /// Where the primary keeps its undo tablespaces, when that is another place in its folders than in ours.
    static func undoElsewhere(_ ours: [String: String], _ theirs: [String: String]) -> FilePath? {
        guard let our = undo(ours), let their = undo(theirs), our.place != their.place else { return nil }
        return their.path
    }

    private static func undo(_ settings: [String: String]) -> (path: FilePath, place: String)? {
        guard let value = settings["innodb_undo_directory"], let data = settings["datadir"] else { return nil }
        let folder = FilePath(data).lexicallyNormalized()
        let path = folder.pushing(FilePath(value.isEmpty ? "." : value)).lexicallyNormalized()
        let home = folder.pushing(FilePath(settings["innodb_data_home_dir"] ?? "")).lexicallyNormalized()
        for (name, root) in [("data", folder), ("home", home)] {
            var rest = path
            if rest.removePrefix(root) { return (path, "\(name)/\(rest)") }
        }
        return (path, path.string)
    }
}
