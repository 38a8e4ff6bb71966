/// How much memory this process may use.
///
/// Not mysqld's: that one's is bounded by its my.cnf.
struct MemoryBudget: Hashable, Sendable {
    /// Bytes in all.
    let total: Int

    /// What a process of ours needs besides data in flight: code, connections, lists of files, and the allocator's slack.
    static let overhead = 64 << 20
    /// Less cannot work.
    static let minimum = 96 << 20
    /// Enough to keep all processors busy and to bridge a slow store.
    static let standard = 256 << 20

    /// The operator's choice, else the standard, or a quarter of the cgroup's limit if that is less.
    init(given: Int?, cgroupLimit: Int?) {
        total = given ?? max(Self.minimum, min(Self.standard, (cgroupLimit ?? .max) / 4))
    }

    /// Bytes that chunks may take while they are read, compressed and stored: half of what is left, because the allocator
    /// and the store's buffers hold them a second time at worst.
    var flight: Int { (total - Self.overhead) / 2 }
}
