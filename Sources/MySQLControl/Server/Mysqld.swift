import Host
package import Logging
package import MySQLWire
package import NIOCore
package import SystemPackage
import Vocabulary

/// One mysqld of ours: where it lies, how it is configured, as whom it runs and how long we wait for it.
package struct Mysqld: Sendable {
    package var installation: MysqldInstallation
    package var configuration: MyCnf
    package var user: MysqldUser
    package var hooks: Hooks
    /// Values of the `make_mycnf` hook's environment.
    package var hookEnvironment: [String: String]
    /// `EXTRA_MY_CNF`, split.
    package var extraConfigurations: [FilePath]
    /// Who administers it, over its socket.
    package var administrator: MySQLConnection.Credentials
    /// For starting and initialising.
    package var startTimeout: Duration
    /// For a clean shutdown.
    package var stopTimeout: Duration
    package var eventLoops: any EventLoopGroup
    package var logger: Logger

    /// Describes a server; starts nothing.
    package init(
        installation: MysqldInstallation,
        configuration: MyCnf,
        user: MysqldUser,
        hooks: Hooks,
        administrator: MySQLConnection.Credentials,
        eventLoops: any EventLoopGroup,
        logger: Logger
    ) {
        (self.installation, self.configuration, self.user, self.hooks) = (installation, configuration, user, hooks)
        (self.administrator, self.eventLoops, self.logger) = (administrator, eventLoops, logger)
        hookEnvironment = [:]
        extraConfigurations = []
        startTimeout = .seconds(300)
        stopTimeout = .seconds(300)
    }

    package var directory: TabletDirectory { configuration.directory }

    /// How to reach it as `credentials`, over its socket.
    package func connection(_ credentials: MySQLConnection.Credentials) -> MySQLConnection.Configuration {
        MySQLConnection.Configuration(address: .unixSocket(configuration.socket), credentials: credentials)
    }

    /// Creates folders and my.cnf.
    /// - Throws: ``MysqldError`` or ``FileError``.
    package func prepareDirectory() async throws {
        try directory.create(owner: user.fileOwner)
        try await writeConfiguration()
    }

    /// Writes my.cnf from the `make_mycnf` hook's output, or from the fragments of this version.
    /// - Throws: ``MysqldError`` or ``FileError``.
    package func writeConfiguration() async throws {
        try checkSocketPath()
        let text: String
        if let output = try await hooks.run("make_mycnf", environment: hookEnvironment) {
            text = try configuration.render(output.standardOutput, version: installation.version)
        } else {
            if MyCnfFragment.fragment(for: installation.version) == nil {
                logger.warning(
                    "this version of Vitess does not include built-in support for \(installation.version.product.rawValue) {\(installation.version.major) \(installation.version.minor) \(installation.version.patch)}"
                )
            }
            text = try configuration.text(version: installation.version, extra: readExtraConfigurations())
        }
        try FileTree.write(Array(text.utf8), to: directory.place(directory.configuration), owner: user.fileOwner)
    }

    /// The kernel's limit, told before anything else is done.
    /// - Throws: ``MysqldError`` with code `configuration`.
    package func checkSocketPath() throws(MysqldError) {
        let longest = 107
        guard configuration.socket.string.utf8.count <= longest else {
            throw MysqldError(
                .configuration,
                "the socket path \(configuration.socket) has more than \(longest) bytes; HINT: give a shorter one with --mysql-socket, or use a shorter VTDATAROOT"
            )
        }
    }

    private func readExtraConfigurations() -> [(path: String, text: String)] {
        extraConfigurations.compactMap { path in
            do {
                if let bytes = try FileTree.read(path, limit: 1 << 20) {
                    return (path.string, String(decoding: bytes, as: UTF8.self))
                }
                logger.info("could not open config file for mycnf: \(path): no such file")
            } catch {
                logger.info("could not open config file for mycnf: \(error)")
            }
            return nil
        }
    }
}
