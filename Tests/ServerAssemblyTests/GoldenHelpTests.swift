import CommandLineKit
import Host
import SystemPackage
import Testing

@testable import ServerAssembly

/// The help of the real vtbackup 24.0.4 beside ours: a flag that both have is the same flag.
@Suite("flags of the real vtbackup")
struct GoldenHelpTests {
    struct Flag: Equatable {
        var type: String
        var value: String
    }

    @Test("have our types and defaults")
    func sameFlags() throws {
        let file = FilePath(#filePath).removingLastComponent().appending("Fixtures").appending("vitess-24.0.4")
            .appending("vtbackup-help.txt")
        let text = String(decoding: try #require(try FileTree.read(file, limit: 1 << 20)), as: UTF8.self)
        let theirs = flags(text)
        let ours = flags(HelpText(program: "vtbackup", introduction: "", table: FlagTable(VtbackupOptions.self)).usage)
        #expect(theirs.count > 200)
        let both = Set(ours.keys).intersection(theirs.keys)
        #expect(both.count >= 75)
        for name in both.sorted() {
            #expect(ours[name] == theirs[name], "--\(name)")
        }
    }

    private func flags(_ help: String) -> [String: Flag] {
        var flags: [String: Flag] = [:]
        for line in help.split(separator: "\n") {
            guard let match = line.firstMatch(of: /^ +(?:-[a-z], )?--([a-z0-9-]+)(?: ([^ ]+))?  +(.*)$/) else {
                continue
            }
            // The last one: a help text may speak of the default as well.
            let value = String(match.3).matches(of: /\(default ([^()]*(?:\([^()]*\))?[^()]*)\)/).last.map {
                String($0.1)
            }
            flags[String(match.1)] = Flag(type: String(match.2 ?? ""), value: value ?? "")
        }
        return flags
    }
}
