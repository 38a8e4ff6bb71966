import MySQLControl
import MySQLWire
import Positions
import Testing

@testable import Workflows

@Suite("progress of a replica")
struct ProgressWatchTests {
    private static let uuid = "00000000-0000-0000-0000-000000000101"

    private func status(
        executed: Int64,
        retrieved: Int64 = 0,
        file: String = "",
        position: Int = 0
    ) throws -> ReplicationStatus {
        var result = ResultSet()
        let values = [
            "Executed_Gtid_Set": executed > 0 ? "\(Self.uuid):1-\(executed)" : "",
            "Retrieved_Gtid_Set": retrieved > 0 ? "\(Self.uuid):1-\(retrieved)" : "",
            "Source_Log_File": file, "Read_Source_Log_Pos": String(position),
        ]
        result.columns = values.keys.sorted()
        result.rows = [result.columns.map { values[$0] }]
        return try #require(try ReplicationStatus(result, dialect: .modern))
    }

    @Test("counts what grows, and not what only changes")
    func growth() throws {
        var watch = ProgressWatch(limit: .seconds(60), now: .zero)
        func moved(_ status: ReplicationStatus, _ second: Int) -> Bool {
            let before = watch.since
            _ = watch.note(status, at: .seconds(second))
            return watch.since != before
        }
        #expect(try moved(status(executed: 5, file: "b.000009", position: 100), 1))
        #expect(try !moved(status(executed: 5, file: "b.000009", position: 100), 2))
        // A connection that is lost and made anew begins in front.
        #expect(try !moved(status(executed: 5, file: "b.000009", position: 4), 3))
        #expect(try !moved(status(executed: 5, file: "", position: 0), 4))
        #expect(try moved(status(executed: 5, file: "b.000010", position: 4), 5))
        #expect(try moved(status(executed: 5, file: "b.1000000", position: 4), 6))
        #expect(try moved(status(executed: 5, retrieved: 9), 7))
        #expect(try !moved(status(executed: 5, retrieved: 0), 8))
        #expect(try !moved(status(executed: 5, retrieved: 9), 9))
        #expect(try moved(status(executed: 6), 10))
        var busy = try status(executed: 6)
        busy.work = 1
        #expect(moved(busy, 11))
        // Once the goal is here, only applying counts.
        let goal = try Position("\(Self.uuid):1-9", flavor: .mysql56)
        #expect(
            try !watch.note(
                status(executed: 6, retrieved: 12, file: "b.2000000", position: 9),
                goal: goal,
                at: .seconds(60)
            )
        )
        #expect(!watch.isStalled(at: .seconds(70)))
        #expect(watch.isStalled(at: .seconds(71)))
    }
}
