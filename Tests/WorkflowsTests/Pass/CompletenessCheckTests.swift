import Concurrency
import Engines
import FoundationEssentials
import Host
import MySQLControl
import Storage
import SystemPackage
import TestKit
import Testing

@testable import Workflows

/// What a server has and its copied files have not.
@Suite("completeness of a backup")
struct CompletenessCheckTests {
    private struct Outcome {
        var files: ServerFiles?
        var refusal: String?
        var log: [String]
    }

    /// Checks a server whose folder holds `undo_001`.
    private func check(
        _ server: ScriptedReplica,
        engine: EngineTraits = .builtin,
        allowed: Bool = false,
        undoOfPrimary: FilePath? = nil,
        undoIn folder: FilePath? = nil
    ) async throws -> Outcome {
        try await withTemporaryFolder { root in
            let tablet = TabletDirectory(path: root.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            let undo = (folder ?? tablet.data).appending("undo_001")
            if folder == nil { try FileTree.write([1], to: undo) }
            var server = server
            server.files.append(
                TablespaceFile(name: "innodb_undo_001", path: undo, isEncrypted: false, isMadeAnew: true)
            )
            let prepared = try await PreparedServer(reading: server, now: Date(), undoOfPrimary: undoOfPrimary)
            let lines = LogLines()
            var outcome = Outcome(log: [])
            let described = server
            do {
                outcome.files = try await BlockingThreads.with(count: 1) { threads in
                    let check = CompletenessCheck(
                        engine: engine,
                        allowed: allowed,
                        threads: threads,
                        logger: lines.logger
                    )
                    return try await check.run(on: described, tablet, prepared)
                }
            } catch let error as WorkflowError {
                outcome.refusal = "\(error)"
            }
            outcome.log = lines.all
            return outcome
        }
    }

    @Test("encryption that no tablespace tells of is refused with the setting, or said")
    func encryption() async throws {
        let server = ScriptedReplica(encryption: ["binlog_encryption = ON", "innodb_redo_log_encrypt = ON"])
        let refused = try await check(server)
        #expect(refused.refusal?.contains("(binlog_encryption = ON, innodb_redo_log_encrypt = ON)") == true)
        #expect(refused.refusal?.contains("--allow-incomplete-tablespaces") == true)
        let allowed = try await check(server, allowed: true)
        #expect(allowed.refusal == nil)
        #expect(allowed.log.contains { $0.contains("innodb_redo_log_encrypt = ON") })
    }

    @Test("engines whose files nobody copies are refused by name")
    func engines() async throws {
        let server = ScriptedReplica(engines: ["ROCKSDB (3 tables, as shop.log)"])
        let refused = try await check(server)
        #expect(refused.refusal?.contains("ROCKSDB (3 tables, as shop.log)") == true)
        #expect(try await check(server, allowed: true).refusal == nil)
    }

    @Test("an engine that leaves nothing out is not asked for what the builtin one would leave out")
    func otherEngine() async throws {
        var engine = EngineTraits.builtin
        engine.leavesOut = []
        let server = ScriptedReplica(
            encryption: ["binlog_encryption = ON"],
            engines: ["ROCKSDB (3 tables, as shop.log)"]
        )
        #expect(try await check(server, engine: engine).refusal == nil)
    }

    @Test("undo tablespaces are copied, with what is prepared in them")
    func undoInside() async throws {
        for prepared in [[], ["1:1:0:0x78"]] {
            let outcome = try await check(ScriptedReplica(prepared: prepared))
            #expect(outcome.refusal == nil)
            #expect(outcome.files?.leavesOutUndo == false)
        }
        let hidden = try await check(ScriptedReplica(prepared: nil))
        #expect(hidden.refusal == nil)
        #expect(hidden.log.contains { $0.contains("XA_RECOVER_ADMIN") })
    }

    @Test("undo tablespaces elsewhere, ours or the primary's, are left out when nothing needs them, else refused")
    func undoElsewhere() async throws {
        let elsewhere = FilePath("/srv/undo")
        for (ours, theirs) in [(elsewhere, nil), (nil, elsewhere)] as [(FilePath?, FilePath?)] {
            let free = try await check(ScriptedReplica(), undoOfPrimary: theirs, undoIn: ours)
            #expect(free.refusal == nil)
            #expect(free.files?.leavesOutUndo == (theirs != nil))
            #expect(free.log.contains { $0.contains("/srv/undo") })
            for prepared in [["1:1:0:0x78"], nil] {
                let needed = try await check(ScriptedReplica(prepared: prepared), undoOfPrimary: theirs, undoIn: ours)
                #expect(needed.refusal?.contains("/srv/undo") == true)
            }
        }
    }

    // MARK: Settings

    @Test("settings that differ are named with both values; what one server does not have is none")
    func differences() {
        let found = SettingsCheck.differences(
            ["a": "0", "b": "CRC32", "c": "1"],
            ["a": "1", "b": "crc32", "d": "2"],
            ["a", "b", "c", "d"]
        )
        #expect(found == ["a is 1 there and 0 here"])
    }

    @Test(
        "where the primary keeps undo tablespaces, seen from its own folders",
        arguments: [
            ("./", "./", nil), ("./", "/p/data/", nil), ("/o/data/undo", "undo", nil), ("/o/home", "/p/home/", nil),
            ("./", "/srv/undo", "/srv/undo"), ("/srv/undo", "/srv/undo/", nil), ("./", "/p/home", "/p/home"),
            ("/srv/undo", "./", "/p/data"),
        ] as [(String, String, String?)]
    )
    func undoOfPrimary(_ ours: String, _ theirs: String, _ expected: String?) {
        func settings(_ root: String, _ undo: String) -> [String: String] {
            ["datadir": "/\(root)/data/", "innodb_data_home_dir": "/\(root)/home", "innodb_undo_directory": undo]
        }
        let found = SettingsCheck.undoElsewhere(settings("o", ours), settings("p", theirs))
        #expect(found == expected.map { FilePath($0) })
    }
}
