import Concurrency
import MySQLControl
import Positions
import Testing

@testable import TestKit
@testable import Workflows

/// A backup holds no temporary tables: it is taken when there are none.
@Suite("temporary tables of the applier", .timeLimit(.minutes(5)))
struct SessionStateTests {
    private func wait(_ asked: Int) async throws -> (log: LogLines, seconds: Int, error: WorkflowError?) {
        let shard = try SimulatedShard()
        let log = LogLines()
        let server = SimulatedReplica(shard: shard, faults: FaultLog([.temporaryTables(asked)]), executed: GTIDSet())
        let state = SessionState(clock: shard.clock, limits: CatchUp.Limits(), logger: log.logger)
        var failure: WorkflowError?
        do {
            try await state.waitForTemporaryTables(of: server, since: shard.clock.elapsed())
        } catch let error as WorkflowError {
            failure = error
        }
        return (log, Int(shard.clock.elapsed() / .seconds(1)), failure)
    }

    @Test("are waited for")
    func waits() async throws {
        let (log, seconds, error) = try await wait(100)
        #expect(error == nil)
        #expect(seconds == 100)
        #expect(log.all.count { $0.contains("1 temporary tables open") } == 1)
    }

    @Test("and refused when they stay for ten minutes")
    func refused() async throws {
        let (_, seconds, error) = try await wait(1_000_000)
        #expect(error?.code == .refused)
        #expect(error?.message.contains("HINT: use binlog_format=ROW on the primary") == true)
        #expect((600...601).contains(seconds))
    }
}
