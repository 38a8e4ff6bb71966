import CommandLineKit
import FoundationEssentials
import Host
import Logging
import MySQLControl
import MySQLWire
import NIOCore
import SystemPackage
import Vocabulary

/// What makes a mysqld: where it is installed, whom it runs as, where it lies, what it is called.
struct MysqldParts: Sendable {
    let options: MysqldOptions
    /// `--builtinbackup-mysqld-timeout`.
    let stopLimit: Duration
    let environment: [String: String]
    /// Absolute path of this program, where it is known.
    let program: FilePath
    let logger: Logger

    /// The user and password of replication.
    var replication: MySQLConnection.Credentials {
        MySQLConnection.Credentials(user: options.dbReplUser, password: options.dbReplPassword)
    }

    /// Describes a server, which is not started.
    /// - Throws: ``MysqldError`` when there is none, or it cannot be run as the flags say.
    func server(
        _ alias: TabletAlias,
        serverID: UInt32,
        _ shard: ShardPath,
        _ eventLoops: any EventLoopGroup
    ) async throws -> Mysqld {
        let installation = try await MysqldInstallation.locate(environment: environment)
        let directory = TabletDirectory(dataRoot: dataRoot, uid: alias.uid)
        let socket = options.mysqlSocket.isEmpty ? nil : FilePath(options.mysqlSocket)
        var mysqld = Mysqld(
            installation: installation,
            configuration: MyCnf(
                directory: directory,
                serverID: serverID,
                port: options.mysqlPort,
                socket: socket
            ),
            user: try user(root: installation.root),
            hooks: Hooks(
                root: Hooks.root(environment: environment, program: program),
                limit: options.mysqlTimeout.duration
            ),
            administrator: MySQLConnection.Credentials(
                user: options.dbDbaUser,
                password: options.dbDbaPassword
            ),
            eventLoops: eventLoops,
            logger: logger
        )
        mysqld.extraConfigurations = extraConfigurations
        mysqld.hookEnvironment = [
            "KEYSPACE": shard.keyspace, "SHARD": shard.shard, "TABLET_TYPE": environment["TABLET_TYPE"] ?? "",
            "TABLET_ID": String(alias.uid), "TABLET_DIR": directory.path.string,
            "MYSQL_PORT": String(options.mysqlPort),
        ]
        mysqld.startTimeout = options.mysqlTimeout.duration
        mysqld.stopTimeout = min(options.mysqlShutdownTimeout.duration, stopLimit)
        try mysqld.checkSocketPath()
        return mysqld
    }

    private var dataRoot: FilePath {
        let root = environment["VTDATAROOT"] ?? ""
        if root.isEmpty { return "/vt" }
        // mysqld runs in another folder than we do.
        return FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(root)).lexicallyNormalized()
    }

    private var extraConfigurations: [FilePath] {
        (environment["EXTRA_MY_CNF"] ?? "").split(separator: ":").map { FilePath(String($0)) }
    }

    /// Whom mysqld runs as.
    /// - Throws: ``MysqldError`` when it must not be root, and nobody else can enter its folders.
    func user(root: FilePath? = nil) throws -> MysqldUser {
        try MysqldUser.decide(
            allowRoot: options.allowRoot,
            dataRoot: dataRoot,
            mustEnter: (root.map { [$0] } ?? []) + extraConfigurations
        )
    }
}
