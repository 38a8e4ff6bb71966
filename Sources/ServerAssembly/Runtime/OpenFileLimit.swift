import Glibc

/// How many files this process may have open, and what it needs.
enum OpenFileLimit {
    /// For logs, connections, event loops, pipes of mysqld, and whatever we were started with.
    static let others = 40
    /// A file that is copied, its object, and the pipes of a command that compresses it.
    static let ofCopiedFile = 6

    /// Raises the limit when `concurrency` files at once need it, as far as the system allows; whom we start gets it as well.
    /// - Returns: the limit then.
    static func raise(for concurrency: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        let needed = rlim_t(clamping: others + ofCopiedFile * concurrency)
        if limit.rlim_cur < needed, limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = min(needed, limit.rlim_max)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// How many files can be copied at once within a limit.
    static func concurrency(within limit: Int) -> Int { max(1, (limit - others) / ofCopiedFile) }
}
