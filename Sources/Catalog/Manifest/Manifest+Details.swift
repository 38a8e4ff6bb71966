extension Manifest {
    /// What only the engine that took the backup writes: its method, and the keys behind those of all engines.
    package enum Details: Hashable, Sendable {
        case builtin(Builtin)
        case xtrabackup(XtraBackup)
        case mysqlShell(MySQLShell)
        /// Of an engine that we do not know.
        case other(String)

        /// Those of an engine that has said nothing yet.
        package init(_ method: BackupMethod) {
            self =
                switch method {
                case .builtin: .builtin(Builtin())
                case .xtrabackup: .xtrabackup(XtraBackup())
                case .mysqlShell: .mysqlShell(MySQLShell())
                case .other(let name): .other(name)
                }
        }

        /// Which engine it was.
        package var method: BackupMethod {
            switch self {
            case .builtin: .builtin
            case .xtrabackup: .xtrabackup
            case .mysqlShell: .mysqlShell
            case .other(let name): .other(name)
            }
        }
    }

    /// The keys that only the xtrabackup engine writes.
    package struct XtraBackup: Hashable, Sendable {
        package var compressionEngine = ""
        /// Name of the one object, or of the stripes before their numbers.
        package var fileName = ""
        /// Value of `--xtrabackup-backup-flags`.
        package var extraCommandLineParams = ""
        /// `tar` or `xbstream`.
        package var streamMode = ""
        /// Zero or one: a single object.
        package var numStripes: Int64 = 0
        /// Bytes.
        package var stripeBlockSize: Int64 = 0
        package var skipCompress = false
        package var externalDecompressor = ""

        /// Creates empty details.
        package init() {}
    }

    /// The keys that only the mysqlshell engine writes.
    package struct MySQLShell: Hashable, Sendable {
        /// Where the dump lies, which is not in the backup storage.
        package var backupLocation = ""
        /// The load flags of the time of the backup; informational.
        package var params = ""

        /// Creates empty details.
        package init() {}
    }

    /// Which engine took it.
    package var method: BackupMethod { details.method }

    /// The details of a builtin backup; `nil` for the other engines.
    package var builtin: Builtin? {
        get { if case .builtin(let builtin) = details { builtin } else { nil } }
        set { if let newValue { details = .builtin(newValue) } }
    }
}
