import CommandLineKit
import FoundationEssentials
import Streams
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
}
