import Concurrency
import Host
import Subprocess
package import SystemPackage
package import Vocabulary

/// A MySQL distribution on this machine.
package struct MysqldInstallation: Hashable, Sendable {
    /// `VT_MYSQL_ROOT`.
    package let root: FilePath
    /// Value of `--basedir`.
    package let baseDirectory: FilePath
    /// The server program.
    package let mysqld: FilePath
    /// From `mysqld --version`.
    package let version: MySQLVersion
    /// The whole line, as a manifest may carry it.
    package let versionText: String

    /// Finds the distribution and asks it for its version.
    /// - Parameter environment: `VT_MYSQL_ROOT`, `VT_MYSQL_BASEDIR` and `PATH` are read.
    /// - Returns: the first distribution found, in that order.
    /// - Throws: ``MysqldError`` with code `installation`.
    package static func locate(environment: [String: String]) async throws -> MysqldInstallation {
        let root = try root(environment)
        let mysqld = try program("mysqld", root: root)
        let text = try await versionText(of: mysqld)
        let version: MySQLVersion
        do {
            version = try MySQLVersion(parsing: text)
        } catch {
            throw MysqldError(.installation, "could not auto-detect MySQL version", cause: error)
        }
        let baseDirectory = environment["VT_MYSQL_BASEDIR"].flatMap { $0.isEmpty ? nil : FilePath($0) } ?? root
        return MysqldInstallation(
            root: root,
            baseDirectory: baseDirectory,
            mysqld: mysqld,
            version: version,
            versionText: text
        )
    }

    /// Finds a program of a distribution in `sbin`, `bin`, `libexec` or `scripts`.
    /// - Throws: ``MysqldError`` with code `installation`.
    package static func program(_ name: String, root: FilePath) throws(MysqldError) -> FilePath {
        for folder in ["sbin", "bin", "libexec", "scripts"] {
            let path = root.appending(folder).appending(name)
            if (try? FileTree.status(path))?.kind == .regular { return path }
        }
        throw MysqldError(
            .installation,
            "\(name) not found in any of \(root)/{sbin,bin,libexec,scripts}; HINT: set VT_MYSQL_ROOT to the folder that holds them"
        )
    }

    private static func root(_ environment: [String: String]) throws(MysqldError) -> FilePath {
        if let root = environment["VT_MYSQL_ROOT"], !root.isEmpty { return FilePath(root) }
        for folder in (environment["PATH"] ?? "").split(separator: ":") {
            let path = FilePath(String(folder)).appending("mysqld")
            if (try? FileTree.status(path))?.kind == .regular {
                return path.removingLastComponent().removingLastComponent()
            }
        }
        if let status = try? FileTree.status("/usr/sbin/mysqld"), status.kind == .regular, status.mode & 0o111 != 0 {
            return "/usr"
        }
        throw MysqldError(.installation, "VT_MYSQL_ROOT is not set and no mysqld could be found in your PATH")
    }

    private static let versionLimit = Duration.seconds(60)

    private static func versionText(of mysqld: FilePath) async throws -> String {
        do {
            let result = try await withDeadline(versionLimit, operation: "\(mysqld) --version") {
                try await Subprocess.run(
                    .path(mysqld),
                    arguments: ["--no-defaults", "--version"],
                    output: .string(limit: 4096),
                    error: .string(limit: 4096)
                )
            }
            guard result.terminationStatus.isSuccess else {
                throw MysqldError(.installation, "\(mysqld) --version failed: \(result.standardError)")
            }
            return result.standardOutput
        } catch let error as SubprocessError {
            throw MysqldError(.installation, "could not auto-detect MySQL version: cannot run \(mysqld)", cause: error)
        } catch let error as DeadlineExceeded {
            throw MysqldError(.installation, "could not auto-detect MySQL version", cause: error)
        }
    }
}
