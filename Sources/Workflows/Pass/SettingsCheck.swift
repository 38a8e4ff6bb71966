import Concurrency
import Engines
import Logging
import MySQLControl
import SystemPackage
import Vocabulary

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
        "innodb_default_row_format", "default_storage_engine", "innodb_undo_tablespaces",
    ]
    private static let folders = ["datadir", "innodb_data_home_dir", "innodb_undo_directory"]
    private static let all =
        decisive + ofNewFiles + ofNewTables + folders + ["innodb_checksum_algorithm", "version"]

    private static let advice = "HINT: give vtbackup the primary's settings in EXTRA_MY_CNF"

    // MARK: Before the restore

    /// Compares with what our server would begin with, so that nobody waits hours for a refusal.
    ///
    /// Whatever cannot be told now shows when the server runs.
    /// - Parameters:
    ///   - mysqld: ours, not started.
    ///   - isFirst: whether its data directory will be made anew.
    /// - Throws: ``WorkflowError`` for what makes a backup useless.
    func runAhead(of mysqld: any TabletServer, isFirst: Bool) async throws {
        guard let theirs = try await settings(), let ours = try await planned(mysqld) else { return }
        try refuse(Self.refusals(ours, theirs, isFirst: isFirst))
    }

    private func planned(_ mysqld: any TabletServer) async throws -> [String: String]? {
        do {
            guard var settings = try await mysqld.plannedSettings(Self.all) else { return nil }
            // Where names have cases, and only the server sees that, it begins with 0 instead.
            if settings["lower_case_table_names"] == "2" { settings["lower_case_table_names"] = nil }
            return settings
        } catch {
            try Task.checkCancellation()
            logger.warning(
                "cannot tell before the restore whether the settings that the data depends on are the primary's: \(error)"
            )
            return nil
        }
    }

    // MARK: On the running server

    /// Asks both and compares; a primary that cannot be asked is a warning.
    /// - Parameters:
    ///   - server: ours.
    ///   - isFirst: whether its data directory was made anew.
    /// - Returns: where the primary keeps its undo tablespaces, when that is elsewhere than ours does.
    /// - Throws: ``WorkflowError`` for what makes a backup useless.
    func run(on server: any InspectedServer, isFirst: Bool) async throws -> FilePath? {
        guard let theirs = try await settings() else { return nil }
        let ours = try await step(.mysqld, "cannot ask the server for its settings") {
            try await server.settings(Self.all)
        }
        try refuse(Self.refusals(ours, theirs, isFirst: isFirst))
        for difference in Self.warnings(ours, theirs, isFirst: isFirst) {
            logger.warning(
                "the server of this pass has another setting than the primary, on which new files depend: \(difference)"
            )
        }
        return Self.undoElsewhere(ours, theirs)
    }

    private func refuse(_ refused: [String]) throws {
        guard !refused.isEmpty else { return }
        throw WorkflowError(
            .refused,
            "not taking backup: the primary would not start on it, or not read it: \(refused.joined(separator: ", ")); \(Self.advice)"
        )
    }

    private func settings() async throws -> [String: String]? {
        do {
            return try await withDeadline(Self.limit, operation: "asking the primary for its settings") {
                try await primary.tablets.settings(Self.all, of: try await primary.tablet())
            }
        } catch {
            try Task.checkCancellation()
            logger.warning("cannot compare the settings that the data depends on with the primary's: \(error)")
            return nil
        }
    }

    // MARK: On a server that does not start

    /// Runs `body`, which starts our server on a base; when it does not start, because the base was made with other settings,
    /// the error names them: older bases would not help.
    /// - Parameters:
    ///   - mysqld: ours.
    ///   - base: its name.
    ///   - body: starts it.
    /// - Returns: what `body` returns.
    /// - Throws: ``WorkflowError`` that names the setting; else the error of `body`.
    func explainingStart<Result>(
        of mysqld: any TabletServer,
        on base: String,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch {
            try Task.checkCancellation()
            let isOfServer = causes(of: error).contains { ($0 as? MysqldError)?.code == .died }
            let refused = isOfServer ? await unfit(mysqld) : []
            guard !refused.isEmpty else { throw error }
            throw WorkflowError(
                .refused,
                "not taking backup: mysqld does not start on \(base): \(refused.joined(separator: ", ")); \(Self.advice)",
                cause: error
            )
        }
    }

    /// What the files of a base tell of the server that made them, and differs from ours.
    private func unfit(_ mysqld: any TabletServer) async -> [String] {
        var unfit: [String] = []
        // Of an error that is told anyway only the reason is looked for.
        if let names = try? mysqld.refusedTableNames() {
            unfit.append("lower_case_table_names is \(names.data) in the base and \(names.here) here")
        }
        let folder = mysqld.directory.innodbData
        if let size = try? SystemTablespace.pageSize(in: folder),
            let ours = try? await mysqld.plannedSettings(["innodb_page_size"])?["innodb_page_size"], ours != "\(size)"
        {
            unfit.append("innodb_page_size is \(size) in the base and \(ours) here")
        }
        return unfit
    }

    // MARK: Comparing

    /// What makes a backup of ours useless for them.
    static func refusals(_ ours: [String: String], _ theirs: [String: String], isFirst: Bool) -> [String] {
        differences(ours, theirs, decisive + (isFirst ? ofNewFiles : [])) + unreadableChecksums(ours, theirs)
    }

    /// What they will find otherwise than their own servers make it.
    static func warnings(_ ours: [String: String], _ theirs: [String: String], isFirst: Bool) -> [String] {
        // With a base these files are as it had them.
        var found = differences(ours, theirs, ofNewTables + (isFirst ? [] : ofNewFiles))
        if let our = ours[checksum], let their = theirs[checksum], unstrict(our) != unstrict(their) {
            found += differences(ours, theirs, [checksum])
        }
        return found
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

    private static let checksum = "innodb_checksum_algorithm"

    private static func unstrict(_ algorithm: String) -> String {
        String(algorithm.lowercased().trimmingPrefix("strict_"))
    }

    /// A strict MariaDB takes pages of other algorithms than its own for damaged; MySQL accepts them, with a line in its log.
    private static func unreadableChecksums(_ ours: [String: String], _ theirs: [String: String]) -> [String] {
        guard let our = ours[checksum], let their = theirs[checksum], their.lowercased().hasPrefix("strict_"),
            theirs["version"]?.contains("MariaDB") == true, family(our) != family(their)
        else { return [] }
        return differences(ours, theirs, [checksum])
    }

    /// Pages of `full_crc32` are known by the flags of their file, and those of `crc32` are read beside them.
    private static func family(_ algorithm: String) -> String {
        let name = unstrict(algorithm)
        return name == "full_crc32" ? "crc32" : name
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
