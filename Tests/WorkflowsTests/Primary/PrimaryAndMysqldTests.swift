import Catalog
import Positions
import Testing
import Topology
import Vocabulary

@testable import Workflows

/// Who is asked for what, of a primary with a tablet and a mysqld.
@Suite("primary of a tablet and its mysqld")
struct PrimaryAndMysqldTests {
    private struct Failure: Error {}

    private struct Answers: PrimaryTablet {
        var purged: Result<String?, Failure>
        func position(of tablet: TabletRecord) async throws -> Position { throw Failure() }
        func purgedPosition(of tablet: TabletRecord) async throws -> Position? {
            try purged.get().flatMap { try Position.decode($0) }
        }
    }

    private func purged(_ tablet: Result<String?, Failure>, _ mysqld: Result<String?, Failure>) async throws -> String?
    {
        let primary = PrimaryAndMysqld(tablet: Answers(purged: tablet), mysqld: Answers(purged: mysqld))
        let record = TabletRecord(
            alias: TabletAlias(cell: "zone1", uid: 101),
            kind: .primary,
            keyspace: "commerce",
            shard: "0",
            mysqlHostname: "db",
            mysqlPort: 3306
        )
        return try await primary.purgedPosition(of: record)?.encoded
    }

    @Test("what the tablet does not tell of purged logs, its mysqld is asked for")
    func purgedPosition() async throws {
        let (one, other) = (
            "MySQL56/3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", "MySQL56/3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9"
        )
        #expect(try await purged(.success(one), .success(other)) == one)
        #expect(try await purged(.success(nil), .success(other)) == other)
        #expect(try await purged(.failure(Failure()), .success(other)) == other)
        #expect(try await purged(.success(nil), .success(nil)) == nil)
        await #expect(throws: Failure.self) { _ = try await purged(.success(nil), .failure(Failure())) }
    }
}
