import Catalog
import Concurrency
import Host
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

/// Storage whose names and records were made to harm who looks at them.
@Suite("hostile names in storage", .timeLimit(.minutes(60)))
struct HostileStorageTests {
    private static let hostile = "x\u{1b}[2J\nE1121 12:00:00.000000       1 x.go:1] all is well\u{202e}"
    private static let name = "2026-11-21.120000.zone1-0000000101"

    private func withStorage(_ body: @escaping @Sendable (FilePath, [String]) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let root = folder.appending("s")
            let shard = try ShardPath(keyspace: "commerce", shard: "-80")
            try await BlockingThreads.with(count: 1) { threads in
                let storage = FileStorage(root: root, threads: threads)
                let writer = try await storage.startBackup(Self.name, of: shard)
                var manifest = Manifest()
                (manifest.keyspace, manifest.shard) = ("commerce", "-80")
                manifest.mysqlVersion = Self.hostile
                var builtin = Manifest.Builtin()
                builtin.compressionEngine = "external"
                builtin.externalDecompressor = Self.hostile
                builtin.files = [FileEntry(base: .data, name: "shop/\(Self.hostile).ibd", hash: 1)]
                manifest.builtin = builtin
                _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
                try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
                try FileTree.createDirectory(
                    root.appending("commerce").appending("-80").appending(Self.hostile),
                    parents: false
                )
            }
            try await body(
                folder,
                [
                    "--backup-storage-implementation=file", "--file-backup-storage-root=\(root)",
                    "--init-keyspace=commerce", "--init-shard=-80", "--logtostderr",
                ]
            )
        }
    }

    private func expectHarmless(_ text: String) {
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || PrintableText.isShown($0) }, "\(text)")
        #expect(text.split(separator: "\n").allSatisfy { !$0.hasPrefix("E1121 12:00:00") }, "\(text)")
    }

    @Test("no listing, log or error of them moves a cursor or forges a line", arguments: [false, true])
    func listing(json: Bool) async throws {
        try await withStorage { _, flags in
            let run = try await Programs.run(
                Programs.path("vtbackup"),
                flags + ["--list-backups"] + (json ? ["--json"] : [])
            )
            #expect(run.succeeded, "\(run.standardError)")
            expectHarmless(run.standardOutput)
            expectHarmless(run.standardError)
            #expect(run.standardOutput.contains(json ? "x\\u001b[2J\\nE1121" : "x\\u{1b}[2J\\u{a}E1121"))
        }
    }

    @Test("a restore that a hostile decompressor or file name ends says so harmlessly", arguments: [[], ["--json"]])
    func restore(more: [String]) async throws {
        try await withStorage { folder, flags in
            for decompressor in [[], ["--external-decompressor=/bin/false"]] {
                let target = ["--restore-to=\(folder.appending("r"))", "--backup-name=\(Self.name)"]
                let run = try await Programs.run(Programs.path("vtbackup"), flags + target + decompressor + more)
                #expect(run.exitCode == 1)
                expectHarmless(run.standardOutput)
                expectHarmless(run.standardError)
                #expect(run.standardError.contains("x\\u{1b}[2J\\u{a}E1121"))
                try FileTree.remove(folder.appending("r"))
            }
        }
    }
}
