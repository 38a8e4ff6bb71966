import Concurrency
import Host
import Subprocess

extension Mysqld {
    private static let planLimit = Duration.seconds(60)

    /// Global variables by their names as this server would begin with, without starting it, as far as the program tells.
    ///
    /// Settings that are persisted in data which is not here yet are not among them, and the server may change its mind when
    /// it looks at its files: what counts in the end is what it says itself.
    ///
    /// Writes my.cnf for as long as it takes when there is none yet.
    /// - Throws: ``MysqldError``, `FileError`, `SubprocessError` or `DeadlineExceeded`.
    package func plannedSettings(among names: [String]) async throws -> [String: String] {
        guard try FileTree.status(directory.configuration) == nil else { return try await askProgram(names) }
        return try await withCleanup {
            try await writeConfiguration()
            return try await askProgram(names)
        } cleanup: {
            // Whoever restores a backup into the folder takes it for another's when something is in there.
            try FileTree.remove(directory.configuration)
        }
    }

    /// The values of `lower_case_table_names` here and in the data, when that is why the last start failed.
    ///
    /// MariaDB does not mind.
    /// - Throws: `FileError`.
    package func refusedTableNames() throws -> (here: String, data: String)? {
        try ErrorLogTail.namesOfTablesRefused(directory.errorLog).map { ($0.server, $0.dictionary) }
    }

    private func askProgram(_ names: [String]) async throws -> [String: String] {
        // Of the folders in my.cnf none may be there yet, and some servers mind these.
        let words = command(
            installation.mysqld,
            ["--secure-file-priv=", "--tmpdir=\(directory.path)", "--verbose", "--help"]
        )
        let result = try await withDeadline(Self.planLimit, operation: "\(installation.mysqld) --verbose --help") {
            try await Subprocess.run(
                .path(executable(of: words)),
                arguments: arguments(of: words),
                environment: environment,
                workingDirectory: installation.root,
                output: .string(limit: 4 << 20),
                error: .string(limit: 1 << 20)
            )
        }
        guard result.terminationStatus.isSuccess else {
            throw MysqldError(
                .configuration,
                "\(installation.mysqld) --verbose --help failed (\(result.terminationStatus)): \(result.standardError.suffix(2000))"
            )
        }
        let wanted = Set(names)
        return Self.settings(inHelp: result.standardOutput).filter { wanted.contains($0.key) }
    }

    /// Reads the table at the end of the program's help: a name with dashes, blanks, a value.
    ///
    /// Variables without a value are left out, since the server may find one by itself.
    static func settings(inHelp text: String) -> [String: String] {
        var settings: [String: String] = [:]
        var isTable = false
        for line in text.split(separator: "\n") {
            // A line of dashes, with a gap between the columns, is above the table and nowhere else.
            if line.hasPrefix("---"), line.allSatisfy({ $0 == "-" || $0 == " " }) {
                isTable = true
                continue
            }
            guard isTable, let gap = line.firstIndex(of: " ") else { continue }
            let value = line[gap...].drop { $0 == " " }
            guard !value.isEmpty, value != "(No default value)" else { continue }
            settings[String(line[..<gap].replacing("-", with: "_"))] = String(value)
        }
        return settings
    }
}
