import Glibc
import Host
import Logging
package import MySQLControl
package import MySQLWire
package import NIOCore
import Subprocess
package import SystemPackage

/// Makes mysqld servers for tests: initialised once in all, copied for each.
package actor TestServers {
    /// Whose servers these are.
    package enum Product: String, Sendable, CaseIterable {
        /// The newest MySQL, one of the series that most shards run, and MariaDB.
        case mysql, mysql80, mariaDB

        /// `VT_MYSQL_ROOT` for programs that shall use it.
        package var root: FilePath? {
            switch self {
            case .mysql: RealComponents.mysqlRoot
            case .mysql80: RealComponents.mysql80Root
            case .mariaDB: RealComponents.mariaDBRoot
            }
        }

        /// Not MariaDB.
        package var isMySQL: Bool { self != .mariaDB }
    }

    /// All suites of a run share one for each product, so that one data directory is initialised.
    package static let shared = TestServers(.mysql)
    private static let mysql80 = TestServers(.mysql80)
    private static let mariaDB = TestServers(.mariaDB)

    /// The servers of a product.
    package static func shared(_ product: Product) -> TestServers {
        switch product {
        case .mysql: shared
        case .mysql80: mysql80
        case .mariaDB: mariaDB
        }
    }

    private let product: Product
    private var template: Task<FilePath, any Error>?
    private var serverID: UInt32 = 1000

    private init(_ product: Product) {
        self.product = product
    }

    /// Who runs the servers: we, or nobody (65534) when we are root.
    package static var user: MysqldUser {
        geteuid() == 0 ? .other(FileOwner(user: 65_534, group: 65_534), name: nil) : .inherited
    }

    /// A server on a copy of the template in `folder`, not started.
    ///
    /// Its data is that of a fresh tablet.
    package func server(
        in folder: FilePath,
        eventLoops: any EventLoopGroup,
        settings: String = ""
    ) async throws -> Mysqld {
        let source = try await initialised(eventLoops)
        _ = try await Subprocess.run(
            .name("cp"),
            arguments: ["-a", "--reflink=auto", source.string, folder.string],
            output: .discarded,
            error: .string(limit: 4096)
        )
        serverID += 1
        let mysqld = try await Self.describe(product, folder, serverID: serverID, eventLoops: eventLoops)
        // A server of its own, with settings of its own.
        try FileTree.remove(mysqld.directory.data.appending("auto.cnf"))
        try FileTree.remove(mysqld.directory.configuration)
        // Their index names those of the template: a server that purges its logs would purge those of all others.
        for logs in [mysqld.directory.binLog, mysqld.directory.relayLog].map({ $0.removingLastComponent() }) {
            for name in try FileTree.list(logs) ?? [] { try FileTree.remove(logs.appending(name)) }
        }
        try await mysqld.writeConfiguration()
        if let text = try FileTree.read(mysqld.directory.configuration, limit: 1 << 20) {
            let superReadOnly = product.isMySQL ? "super-read-only = OFF\n" : ""
            let own = Array("\(superReadOnly)read-only = OFF\nbind-address = 127.0.0.1\n\(settings)\n".utf8)
            let place = mysqld.directory.place(mysqld.directory.configuration)
            try FileTree.write(text + own, to: place, owner: Self.user.fileOwner)
        }
        return mysqld
    }

    /// A server on a folder that holds a restored backup.
    package func restoredServer(in folder: FilePath, eventLoops: any EventLoopGroup) async throws -> Mysqld {
        serverID += 1
        let mysqld = try await Self.describe(product, folder, serverID: serverID, eventLoops: eventLoops)
        try await mysqld.writeConfiguration()
        // As a tablet does, which is none of a pass.
        if product != .mariaDB, let text = try FileTree.read(mysqld.directory.configuration, limit: 1 << 20) {
            let own = Array("persisted_globals_load = ON\n".utf8)
            let place = mysqld.directory.place(mysqld.directory.configuration)
            try FileTree.write(text + own, to: place, owner: Self.user.fileOwner)
        }
        if let owner = Self.user.fileOwner {
            _ = try await Subprocess.run(
                .name("chown"),
                arguments: ["-R", "\(owner.user):\(owner.group)", folder.string],
                output: .discarded,
                error: .discarded
            )
        }
        return mysqld
    }

    private func initialised(_ eventLoops: any EventLoopGroup) async throws -> FilePath {
        if let template { return try await template.value }
        // Kept for the other suites: whoever comes first makes it, everybody waits for it.
        let task = Task { [product] in try await Self.makeTemplate(product, eventLoops) }
        template = task
        return try await task.value
    }

    private static func makeTemplate(_ product: Product, _ eventLoops: any EventLoopGroup) async throws -> FilePath {
        try FileTree.createDirectory(RealComponents.testRoot, parents: true)
        chmod(RealComponents.testRoot.string, 0o755)
        let folder = RealComponents.testRoot.appending("template-\(product.rawValue)-\(getpid())")
        try FileTree.remove(folder)
        let mysqld = try await describe(product, folder, serverID: 999, eventLoops: eventLoops)
        try await mysqld.initialize(initSQLFile: nil) { server in
            try await server.resetReplication()
        }
        return folder
    }

    private static func describe(
        _ product: Product,
        _ folder: FilePath,
        serverID: UInt32,
        eventLoops: any EventLoopGroup
    ) async throws -> Mysqld {
        guard let root = product.root else {
            throw MysqldError(
                .installation,
                "the root of \(product.rawValue) is not set; HINT: eval \"$(Scripts/bootstrap --print-env)\""
            )
        }
        var mysqld = Mysqld(
            installation: try await MysqldInstallation.locate(environment: ["VT_MYSQL_ROOT": root.string]),
            configuration: MyCnf(
                directory: TabletDirectory(path: folder, uid: 0),
                serverID: serverID,
                port: freePort()
            ),
            user: user,
            hooks: Hooks(root: "/nonexistent", limit: .seconds(60)),
            administrator: MySQLConnection.Credentials(user: "vt_dba"),
            eventLoops: eventLoops,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        mysqld.startTimeout = .seconds(300)
        mysqld.stopTimeout = .seconds(60)
        return mysqld
    }
}

extension RunningMysqld {
    /// Runs statements on one connection and returns the last answer.
    @discardableResult
    package func sql(_ statements: String...) async throws -> ResultSet {
        try await withConnection { connection in
            var last = ResultSet()
            for statement in statements { last = try await connection.query(statement) }
            return last
        }
    }

    /// The GTID of a transaction far ahead of what this server will execute: who has it as a goal waits.
    package func transactionThatNeverComes() async throws -> String {
        "\(try await sql("SELECT @@global.server_uuid").scalar ?? ""):1000000"
    }

    /// `CHECKSUM TABLE` of every table of a database, by name.
    package func checksums(of database: String) async throws -> [String: String] {
        let names = try await sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = \(SQLText.literal(database)) ORDER BY 1"
        ).rows.compactMap { $0.first ?? nil }
        var checksums: [String: String] = [:]
        for name in names {
            let answer = try await sql("CHECKSUM TABLE \(SQLText.name(database)).\(SQLText.name(name))")
            checksums[name] = answer.value("Checksum") ?? "missing"
        }
        return checksums
    }
}
