import CFaults
package import SystemPackage

/// System calls on files below one folder that fail on request, in this process.
package final class SystemFaults: Sendable {
    /// Kinds of calls that can fail.
    package enum Call: Int32, Sendable, CaseIterable {
        case open, read, write, sync, close, rename, unlink, mkdir, stat, list, link, place, lock, own
    }

    /// What comes instead of the call.
    package enum Failure: Hashable, Sendable, CustomStringConvertible {
        case error(Errno)
        /// Half of the bytes are read or written.
        case short

        package var description: String {
            switch self {
            case .error(let errno): "\(errno)"
            case .short: "half of the bytes"
            }
        }

        /// Whether a caller who keeps to the rules of these calls does not notice.
        package var isHarmless: Bool { self == .short || self == .error(.interrupted) }
    }

    private let scope: Int32

    private init(_ root: FilePath) {
        scope = vtb_faults_begin(root.string)
        precondition(scope >= 0, "too many scopes with faults at once")
    }

    /// Runs `body` with a scope for everything below `root`, which is absolute and without links.
    package static func with<Result>(
        below root: FilePath,
        _ body: (SystemFaults) async throws -> Result
    ) async rethrows -> Result {
        let faults = SystemFaults(root)
        defer { vtb_faults_end(faults.scope) }
        return try await body(faults)
    }

    /// Lets the `nth` call of a kind fail, counted from 1.
    package func add(_ call: Call, nth: Int, _ failure: Failure) {
        let code: Int32 =
            switch failure {
            case .error(let errno): errno.rawValue
            case .short: Int32(VTB_SHORT)
            }
        vtb_faults_add(scope, call.rawValue, nth, code)
    }

    /// Calls of a kind so far.
    package func count(_ call: Call) -> Int { vtb_faults_count(scope, call.rawValue) }

    /// Faults that have come.
    package var hits: Int { vtb_faults_hits(scope) }

    /// Whether a child forked at the worst moment is free of them; see `CFaults.h`.
    package var sparesChildren: Bool { vtb_faults_spare_children() == 1 }
}
