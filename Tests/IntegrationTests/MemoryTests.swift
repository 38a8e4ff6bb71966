import Catalog
import Host
import SystemPackage
import TestKit
import Testing

/// Memory does not grow with the number of files (`Scripts/bench many` has the whole pass at 200,000).
@Suite("vtbackup with many files", .timeLimit(.minutes(60)))
struct MemoryTests {
    @Test("lists four backups of 100,000 files within the memory budget")
    func list() async throws {
        try await withTemporaryFolder { folder in
            let shard = folder.appending("ks").appending("0")
            var manifest = Manifest()
            manifest.builtin = Manifest.Builtin()
            manifest.builtin?.files = (0..<100_000).map { number in
                FileEntry(
                    base: .data,
                    name: "vt_a_keyspace/a_table_of_many_\(number)#p#p20261130.ibd",
                    hash: UInt32(number),
                    sizes: FileEntry.Sizes(raw: 114_688, stored: Int64(number))
                )
            }
            for day in 1...4 {
                let backup = shard.appending("2026-11-0\(day).000000.zone1-0000000100")
                try FileTree.createDirectory(backup, parents: true)
                let bytes = manifest.encoded()
                #expect(bytes.count > 20 << 20)
                try FileTree.write(bytes, to: backup.appending("MANIFEST"))
            }
            let (run, peak) = try await Programs.runMeasured(
                Programs.path("vtbackup"),
                [
                    "--list-backups", "--json", "--init-keyspace=ks", "--init-shard=0",
                    "--backup-storage-implementation=file", "--file-backup-storage-root=\(folder)",
                ]
            )
            try #require(run.succeeded, "\(run.standardError)")
            let counts = run.standardOutput.matches(of: /"files" : 100000\b/).count
            #expect(counts == 4, "\(run.standardOutput.prefix(2000))")
            #expect(peak < 256 << 20, "\(peak >> 20) MiB")
        }
    }
}
