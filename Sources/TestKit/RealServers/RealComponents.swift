import FoundationEssentials
import Host
package import SystemPackage

/// The real servers that tests run against, installed by `Scripts/bootstrap`.
package enum RealComponents {
    /// `VT_MYSQL_ROOT`, or `nil` when it is not set.
    package static var mysqlRoot: FilePath? { path("VT_MYSQL_ROOT") }

    /// `VT_MARIADB_ROOT`, or `nil` when it is not set.
    package static var mariaDBRoot: FilePath? { path("VT_MARIADB_ROOT") }

    /// Whether suites on a real MariaDB run; like ``runsMySQL``.
    package static var runsMariaDB: Bool {
        mariaDBRoot != nil || ProcessInfo.processInfo.environment["VTB_REQUIRE_REAL"] == "1"
    }

    /// `VTB_ETCD_ROOT`, the folder with one folder for each series, or `nil` when it is not set.
    package static var etcdRoot: FilePath? { path("VTB_ETCD_ROOT") }

    /// Whether suites on a real etcd run; like ``runsMySQL``.
    ///
    /// They encode records with protoc and make certificates with openssl.
    package static var runsEtcd: Bool {
        (etcdRoot != nil && has(programs: "protoc", "openssl"))
            || ProcessInfo.processInfo.environment["VTB_REQUIRE_REAL"] == "1"
    }

    /// Whether suites on a real mysqld run.
    ///
    /// Without it they are skipped with a reason, unless `VTB_REQUIRE_REAL=1`: then they run and fail.
    package static var runsMySQL: Bool {
        mysqlRoot != nil || ProcessInfo.processInfo.environment["VTB_REQUIRE_REAL"] == "1"
    }

    /// Whether suites that need these programs run; like ``runsMySQL`` when one is missing.
    package static func has(programs: String...) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        let folders = (environment["PATH"] ?? "").split(separator: ":").map { FilePath(String($0)) }
        let isThere = programs.allSatisfy { program in
            folders.contains { (try? FileTree.status($0.appending(program))) != nil }
        }
        return isThere || environment["VTB_REQUIRE_REAL"] == "1"
    }

    /// `VT_MYSQL80_ROOT`, or `nil` where the archive of MySQL 8.0 is not unpacked.
    package static var mysql80Root: FilePath? { path("VT_MYSQL80_ROOT") }

    /// `VTB_VITESS_ROOT`, the folder with the programs of the real Vitess, or `nil` where its archive is not unpacked.
    package static var vitessRoot: FilePath? { path("VTB_VITESS_ROOT") }

    /// `VTB_GOLDEN`, what the real Vitess wrote, or `nil` when it is not set.
    package static var golden: FilePath? { path("VTB_GOLDEN") }

    private static func path(_ variable: String) -> FilePath? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : FilePath($0) }
    }

    /// The folder that holds all folders of tests; another user can enter it.
    package static var testRoot: FilePath {
        FilePath(ProcessInfo.processInfo.environment["VTB_TEST_ROOT"] ?? "/var/tmp/vtbackup-tests")
    }

    /// Whether the loopback interface has IPv6.
    package static var hasIPv6: Bool {
        let addresses = (try? FileTree.read("/proc/net/if_inet6", limit: 1 << 16)) ?? nil
        return String(decoding: addresses ?? [], as: UTF8.self).contains(" lo\n")
    }
}
