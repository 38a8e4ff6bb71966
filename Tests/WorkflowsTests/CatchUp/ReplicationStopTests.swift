import Concurrency
import MySQLControl
import Positions
import Testing

@testable import TestKit
@testable import Workflows

/// STOP REPLICA answers when the applier has ended what it has begun, and that may take hours.
@Suite("stopping replication", .timeLimit(.minutes(5)))
struct ReplicationStopTests {
    private func stop(_ fault: ServerFault) async throws -> (log: LogLines, minutes: Int, error: WorkflowError?) {
        let shard = try SimulatedShard()
        let log = LogLines()
        let server = SimulatedReplica(shard: shard, faults: FaultLog([fault]), executed: .init())
        try await server.replicate(from: ReplicationSource(host: "db", port: 3101, user: "vt_repl", password: ""))
        let stop = ReplicationStop(clock: shard.clock, limits: CatchUp.Limits(), logger: log.logger)
        var failure: WorkflowError?
        do {
            try await stop.run(on: server)
        } catch let error as WorkflowError {
            failure = error
        }
        return (log, Int(shard.clock.elapsed() / .seconds(60)), failure)
    }

    @Test("an applier that works for ten minutes is waited for, with a line each minute")
    func busy() async throws {
        let (log, minutes, error) = try await stop(.stopTakes(600, isBusy: true))
        #expect(error == nil)
        #expect(minutes >= 9)
        #expect(abs(log.all.count { $0.contains("replication has been stopping for") } - minutes) <= 1)
    }

    @Test("one that does nothing ends the pass after ten minutes, with what to do")
    func stuck() async throws {
        let (_, minutes, error) = try await stop(.stopTakes(1_000_000, isBusy: false))
        #expect(error?.code == .catchUp)
        #expect(error?.message.contains("replication does not stop: nothing has moved for 10m0s") == true)
        #expect(error?.message.contains("HINT: ") == true)
        #expect((10...11).contains(minutes))
    }
}
