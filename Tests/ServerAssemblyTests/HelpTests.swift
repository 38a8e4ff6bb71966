import ArgumentParser
import CommandLineKit
import FoundationEssentials
import Host
import SystemPackage
import Testing

@testable import ServerAssembly

/// Every flag with its type, default and help, as `vtbackup --help` prints them.
@Suite("vtbackup's flags")
struct HelpTests {
    private var fixture: FilePath {
        FilePath(#filePath).removingLastComponent().appending("Fixtures").appending("vtbackup-flags.txt")
    }

    @Test("are those of the golden help; write it anew with VTB_UPDATE_GOLDEN=1")
    func golden() throws {
        let text = HelpText(program: "vtbackup", introduction: "", table: FlagTable(VtbackupOptions.self)).usage
        if ProcessInfo.processInfo.environment["VTB_UPDATE_GOLDEN"] == "1" {
            try FileTree.write(Array(text.utf8), to: fixture)
        }
        let golden = try #require(try FileTree.read(fixture, limit: 1 << 20))
        #expect(text == String(decoding: golden, as: UTF8.self))
    }

    @Test("that have no effect are known by name, warned of when given, and listed for operators")
    func withoutEffect() throws {
        var page = FilePath(#filePath)
        for _ in 1...3 { page.removeLastComponent() }
        page = page.appending("Documentation").appending("operations").appending("running-vtbackup.md")
        let text = String(decoding: try #require(try FileTree.read(page, limit: 1 << 20)), as: UTF8.self)
        let table = FlagTable(VtbackupOptions.self)
        #expect(table.flags["grpc-prometheus"]?.type == "bool")
        #expect(table.flags["grpc-enable-tracing"]?.type == "bool")
        let options = try VtbackupOptions.parse([])
        for name in table.flags.keys.sorted() {
            let warnings = options.warnings(given: [name])
            guard warnings.contains(where: { $0.hasPrefix("--\(name) has no effect") }) else { continue }
            #expect(text.contains("--\(name)`"), "--\(name)")
        }
        let given = try ArgumentNormalizer(table: table, program: "vtbackup").normalize([
            "--grpc-prometheus", "--grpc_enable_tracing=true",
        ])
        #expect(try VtbackupOptions.parse(given.tokens).tabletRPC.grpcEnableTracing)
        #expect(try VtbackupOptions.parse(given.tokens).tabletRPC.grpcPrometheus)
    }
}
