import Concurrency
package import MySQLControl
import NIOCore
package import NIOPosix
import SystemPackage

/// Runs `body` with a fresh mysqld of its own, as a tablet is configured but writable.
package func withTestServer(
    _ product: TestServers.Product = .mysql,
    _ body: @escaping @Sendable (RunningMysqld, MultiThreadedEventLoopGroup) async throws -> Void
) async throws {
    try await serverSlots.acquire()
    defer { serverSlots.release() }
    try await withTemporaryFolder { folder in
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await withCleanup {
            let mysqld = try await TestServers.shared(product).server(
                in: folder.appending("m"),
                eventLoops: eventLoops
            )
            try await mysqld.withServer { try await body($0, eventLoops) }
        } cleanup: {
            try await eventLoops.shutdownGracefully()
        }
    }
}
