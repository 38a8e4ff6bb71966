import Glibc
import Host
import Logging
import SystemPackage
import TestKit
import Testing

@testable import MySQLControl

@Suite(
    "what mysqld does not end by itself",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
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

    private func order(_ text: String, in folder: FilePath) async throws {
        let orders = try FileDescriptor.open(folder.appending("orders"), .writeOnly)
        _ = try orders.closeAfter { try orders.writeAll(text.utf8) }
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
            // Writes a line into each file that it is told, and says so: by a pipe, which is nothing that the kernel counts.
            let script = """
                echo $$ > \(directory.pidFile)
                while read -r to; do echo x >> $to; sync -d $to; echo >&9; done < \(folder)/orders 9<> \(folder)/done
                """
            for pipe in ["orders", "done"] { try #require(mkfifo(folder.appending(pipe).string, 0o600) == 0) }
            let done = try FileDescriptor.open(folder.appending("done"), .readWrite, options: .nonBlocking)
            defer { try? done.close() }
            let waits = LockedBox(0)
            let clock = SteppingClock {
                waits.update { $0 += 1 }
                let target = waits.get() <= 20 ? folder.appending("data") : directory.errorLog
                try await order("\(target)\n", in: folder)
                let answer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
                defer { answer.deallocate() }
                while (try? done.read(into: answer)) ?? 0 == 0 { await pauseBetweenLooks() }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await Programs.run("/bin/bash", ["-c", script]) }
                while try FileTree.status(directory.pidFile)?.size ?? 0 == 0 { await pauseBetweenLooks() }
                // Nobody reads before somebody writes.
                let orders = try FileDescriptor.open(folder.appending("orders"), .readWrite)
                defer { try? orders.close() }
                try await watch.standstill(of: .seconds(6), on: clock)
                // Twenty seconds of work, and six without; one more where the kernel counted a page late.
                #expect((26...27).contains(waits.get()))
                group.cancelAll()
                try? await group.waitForAll()
            }
            // A process that is gone does nothing.
            waits.set(1000)
            try await watch.standstill(of: .seconds(6), on: SteppingClock { waits.update { $0 += 1 } })
            #expect(waits.get() <= 1037)
        }
    }
}
