package import Testing

/// Gives a suite one ``RealCluster`` for all of its tests, which find it as `RealCluster.current`.
package struct RealClusterTrait: SuiteTrait, TestScoping {
    package var isRecursive: Bool { false }

    /// Brings the cluster up, runs the suite and takes it down.
    /// - Throws: what the cluster or a test throws.
    @concurrent
    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withoutActuallyEscaping(function) { function in
            try await RealCluster.with { _ in try await function() }
        }
    }
}

extension Trait where Self == RealClusterTrait {
    /// The tests of the suite share one cluster of the real Vitess's programs.
    package static var realCluster: RealClusterTrait { RealClusterTrait() }
}

/// The cluster, or one of its programs, did not do what a test needs.
struct RealClusterFailure: Error, CustomStringConvertible {
    let description: String
}

extension RealCluster {
    /// Asks again until the answer is yes; an error is a no.
    ///
    /// Ends with the time limit of the suite, which cancels it.
    package func wait(_ condition: () async throws -> Bool) async throws {
        while await (try? condition()) != true {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
