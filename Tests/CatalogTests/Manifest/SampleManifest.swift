import FoundationEssentials
import Positions
import Testing

@testable import Catalog

/// The values that the golden files under `Fixtures/manifests` stand for.
enum SampleManifest {
    static let uuid = "0d7aaca6-1666-11ee-aeaf-0a43f95f28a3"

    static func position(_ intervals: String) throws -> Position {
        .mysql56(try GTIDSet(intervals.isEmpty ? "" : "\(uuid):\(intervals)"))
    }

    static func full() throws -> Manifest {
        var manifest = Manifest()
        manifest.backupName = "2026-03-27.101500.zone1-0000000102"
        manifest.position = try position("1-61")
        manifest.purgedPosition = try position("")
        manifest.backupTime = Date(timeIntervalSince1970: 1_774_606_500)
        manifest.finishedTime = Date(timeIntervalSince1970: 1_774_606_504)
        manifest.serverUUID = "3fcd37f9-81fc-11eb-aa0e-1c1bb572885f"
        manifest.tabletAlias = "zone1-0000000102"
        manifest.hostname = "db102.example.test"
        manifest.keyspace = "commerce"
        manifest.shard = "0"
        manifest.mysqlVersion = "Ver 8.0.40 MySQL Community Server - GPL"
        var builtin = Manifest.Builtin()
        builtin.compressionEngine = "pargzip"
        builtin.files = [FileEntry(base: .innodbData, name: "ibdata1", hash: 0x9ae0_daaf)]
        manifest.builtin = builtin
        return manifest
    }

    static func xtrabackup() throws -> Manifest {
        var manifest = try full()
        manifest.purgedPosition = try position("1-61")
        manifest.upgradeSafe = true
        var details = Manifest.XtraBackup()
        details.compressionEngine = "pargzip"
        details.fileName = "backup.xbstream.gz"
        details.extraCommandLineParams = "--no-server-version-check"
        details.streamMode = "xbstream"
        details.stripeBlockSize = 102_400
        manifest.details = .xtrabackup(details)
        return manifest
    }

    /// Constructed by the specification; nobody has recorded one.
    static func mysqlShell() throws -> Manifest {
        var manifest = try full()
        manifest.backupName = ""
        manifest.purgedPosition = try position("1-61")
        manifest.upgradeSafe = true
        var details = Manifest.MySQLShell()
        details.backupLocation = "/backups/commerce/0"
        details.params = #"{"threads": 4, "updateGtidSet": "replace"}"#
        manifest.details = .mysqlShell(details)
        return manifest
    }

    static func fullV23() throws -> Manifest {
        var manifest = try full()
        manifest.hostname = nil
        manifest.builtin?.files += [
            FileEntry(base: .innodbLog, name: "#innodb_redo/#ib_redo0", hash: 0),
            FileEntry(base: .data, name: "mysql.ibd", hash: 0xbeef),
            FileEntry(base: .data, name: "vt_commerce/customer.ibd", hash: .max),
        ]
        return manifest
    }

    static func withExtensions() throws -> Manifest {
        var manifest = try full()
        manifest.backupName = "2026-03-27.101500.vtbackup-3049127412"
        manifest.tabletAlias = "vtbackup-3049127412"
        manifest.builtin?.files = [
            FileEntry(
                base: .innodbData,
                name: "ibdata1",
                hash: 0x9ae0_daaf,
                sizes: FileEntry.Sizes(raw: 12_582_912, stored: 48_211)
            ),
            FileEntry(
                base: .data,
                name: "vt_commerce/customer.ibd",
                hash: 0xcbf4_3926,
                sizes: FileEntry.Sizes(raw: 0, stored: 0)
            ),
        ]
        return manifest
    }

    static func incremental() throws -> Manifest {
        var manifest = try full()
        manifest.backupName = "2026-03-27.102500.zone1-0000000102"
        manifest.position = try position("1-90")
        manifest.purgedPosition = try position("1-20")
        manifest.fromPosition = try position("1-61")
        manifest.fromBackup = "2026-03-27.101500.zone1-0000000102"
        manifest.incremental = true
        manifest.backupTime = Date(timeIntervalSince1970: 1_774_607_100)
        manifest.finishedTime = Date(timeIntervalSince1970: 1_774_607_101)
        manifest.upgradeSafe = true
        var details = Manifest.IncrementalDetails()
        details.firstTimestamp = "2026-03-27T10:20:01Z"
        details.firstTimestampBinlog = "vt-0000000102-bin.000003"
        details.lastTimestamp = "2026-03-27T10:24:59Z"
        details.lastTimestampBinlog = "vt-0000000102-bin.000004"
        manifest.incrementalDetails = details
        manifest.builtin?.files = [
            FileEntry(base: .binLog, name: "vt-0000000102-bin.000003", hash: 0x0102_0304),
            FileEntry(base: .binLog, name: "vt-0000000102-bin.000004", hash: 0x0a0b_0c0d),
        ]
        return manifest
    }

    static func chunked() throws -> Manifest {
        var manifest = try full()
        manifest.builtin?.files.append(
            FileEntry(
                base: .data,
                name: "vt_commerce/big.ibd",
                hash: 0,
                chunks: [
                    FileEntry.Chunk(storageName: "1-0", offset: 0, size: 4_194_304, hash: 1),
                    FileEntry.Chunk(storageName: "1-1", offset: 4_194_304, size: 4_194_304, hash: 2),
                    FileEntry.Chunk(storageName: "1-2", offset: 8_388_608, size: 17, hash: 0xffff_fffe),
                ]
            )
        )
        return manifest
    }

    static func withoutFiles() throws -> Manifest {
        var manifest = try full()
        manifest.builtin?.files = []
        manifest.builtin?.skipCompress = true
        manifest.builtin?.externalDecompressor = "zstd -d"
        return manifest
    }

    static func escapes() throws -> Manifest {
        var manifest = try full()
        manifest.hostname = "a<b>&c\"\\d\t\n\r\u{8}\u{c}\u{1}\u{2028}\u{2029}é漢🙂\u{7f}/"
        manifest.keyspace = ""
        (manifest.position, manifest.purgedPosition) = (nil, nil)
        (manifest.backupTime, manifest.finishedTime) = (nil, nil)
        manifest.builtin?.compressionEngine = ""
        return manifest
    }
}
