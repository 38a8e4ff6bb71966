import MySQLControl
import MySQLWire
import Positions
import TestKit
import Testing

/// GTID sets against what the server itself says of them, tags included.
@Suite(
    "GTID sets on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct PositionsOnServerTests {
    private let servers = ["0d7aaca6-1666-11ee-aeaf-0a43f95f28a3", "3e11fa47-71ca-11e1-9e33-c80aa9429562"]

    /// A random set in text form, intervals in any order, overlapping, with and without tags.
    private func randomText(_ generator: inout some RandomNumberGenerator) -> String {
        var parts: [String] = []
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            var part = servers[Int.random(in: 0..<servers.count, using: &generator)]
            if Bool.random(using: &generator) {
                part += ":" + ["aa", "Tag_1", "zz"][Int.random(in: 0..<3, using: &generator)]
            }
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                let first = Int.random(in: 1...60, using: &generator)
                part += ":\(first)-\(first + Int.random(in: 0...9, using: &generator))"
            }
            parts.append(part)
        }
        return parts.joined(separator: ",\n")
    }

    @Test("print, contains and difference agree with gtid_subset and gtid_subtract")
    func agree() async throws {
        try await withTestServer { server, _ in
            var generator = SeededGenerator(seed: 20_261_121)
            try await server.withConnection { connection in
                for _ in 0..<300 {
                    let (a, b) = (randomText(&generator), randomText(&generator))
                    let (quotedA, quotedB) = (SQLText.literal(a), SQLText.literal(b))
                    let answer = try await connection.query(
                        """
                        SELECT gtid_subtract(\(quotedA), ''), gtid_subset(\(quotedB), \(quotedA)),
                            gtid_subtract(\(quotedA), \(quotedB))
                        """
                    )
                    let (left, right) = (try GTIDSet(a), try GTIDSet(b))
                    let texts = answer.rows[0].map { ($0 ?? "").filter { !$0.isWhitespace } }
                    #expect(left.description == texts[0])
                    #expect(left.contains(right) == (texts[1] == "1"), "\(a) contains \(b)")
                    #expect(left.subtracting(right).description == texts[2], "\(a) minus \(b)")
                    #expect(left.union(right).subtracting(right).description == texts[2])
                }
            }
        }
    }
}
