import Logging
import Streams
import SystemPackage
import TestKit
import Testing

@testable import MySQLControl

@Suite(
    "what mysqld does not end by itself",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(20))
)
struct ShutdownWatchTests {
    @Test("a statement that mysqld does not answer ends with its time limit, and names itself")
    func statement() async throws {
        try await withTestServer { server, _ in
            let error = await #expect(throws: MysqldError.self) {
                try await server.execute(["SELECT SLEEP(600)"], limit: .milliseconds(300))
            }
            #expect(error?.description.contains("ExecuteFetch(SELECT SLEEP(600)) failed") == true)
            #expect(error?.description.contains("deadline exceeded") == true)
        }
    }

    @Test("whoever still writes is at work, and stands still afterwards")
    func work() async throws {
        try await withTemporaryFolder { folder in
            let directory = TabletDirectory(path: folder.appending("t"), uid: 1)
            try directory.create(owner: nil)
            let watch = ShutdownWatch(
                directory: directory,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let clock = ContinuousClock()
            // Writes for ten seconds at least, a little every half second; then it only says so in its log.
            let script =
                "echo $$ > \(directory.pidFile); for i in $(seq 20); do echo x >> \(folder)/f; sync -d \(folder)/f; sleep 0.5; done; while sleep 0.5; do echo waiting >> \(directory.errorLog); sync -d \(directory.errorLog); done"
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await Programs.run("/bin/bash", ["-c", script]) }
                while try FileTree.status(directory.pidFile)?.size ?? 0 == 0 { await Task.yield() }
                let begun = clock.now
                try await watch.standstill(of: .seconds(6))
                #expect(clock.now - begun > .seconds(15))
                #expect(clock.now - begun < .seconds(50))
                group.cancelAll()
                try? await group.waitForAll()
            }
            let begun = clock.now
            try await watch.standstill(of: .milliseconds(200))
            #expect(clock.now - begun < .seconds(3))
        }
    }
}
