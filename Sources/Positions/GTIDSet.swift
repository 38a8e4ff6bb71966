/// A set of MySQL GTIDs in canonical form: sources in byte order, intervals sorted and coalesced.
///
/// Unlike Vitess, adjacent and overlapping intervals are merged on input (`u:1-5:6-10` equals `u:1-10`), and the
/// tagged GTIDs of MySQL 8.3 and later are members like any other: intervals belong to a (server, tag) pair.
/// Every operation costs time linear in the number of intervals of its operands.
package struct GTIDSet: Hashable, Sendable {
    /// Transaction numbers `first...last`, both included, `1 <= first <= last < Int64.max`.
    package struct Interval: Hashable, Sendable {
        package var first: Int64
        package var last: Int64

        /// Creates the interval `first...last`.
        package init(_ first: Int64, _ last: Int64) {
            self.first = first
            self.last = last
        }
    }

    /// Where transactions come from: a server, and the tag it gave them (empty for untagged ones).
    package struct Source: Hashable, Sendable, Comparable {
        package var server: ServerUUID
        package var tag: String

        /// Creates a source; `tag` is lower case, empty for untagged transactions.
        package init(server: ServerUUID, tag: String = "") {
            self.server = server
            self.tag = tag
        }

        package static func < (left: Source, right: Source) -> Bool {
            left.server == right.server
                ? left.tag.utf8.lexicographicallyPrecedes(right.tag.utf8) : left.server < right.server
        }
    }

    /// The intervals of one source, never empty.
    struct Member: Hashable, Sendable {
        var source: Source
        var intervals: [Interval]
    }

    /// Sorted by source, without duplicates and without empty members.
    private(set) var members: [Member]

    /// The empty set.
    package init() {
        members = []
    }

    /// Builds the canonical form of intervals given in any order.
    init(collecting intervals: [Source: [Interval]]) {
        members = intervals.compactMap { source, intervals in
            let merged = coalesced(intervals)
            return merged.isEmpty ? nil : Member(source: source, intervals: merged)
        }
        members.sort { $0.source < $1.source }
    }

    private init(sorted members: [Member]) {
        self.members = members
    }

    /// True for the set without any transaction.
    package var isEmpty: Bool { members.isEmpty }

    /// Number of transactions; saturates at `Int64.max`.
    package var count: Int64 {
        members.reduce(0) { total, member in
            member.intervals.reduce(total) { total, interval in
                let (sum, overflow) = total.addingReportingOverflow(interval.last - interval.first + 1)
                return overflow ? Int64.max : sum
            }
        }
    }

    /// Number of intervals over all sources: the size that costs are measured against.
    package var intervalCount: Int { members.reduce(0) { $0 + $1.intervals.count } }

    /// The servers that any member comes from, in byte order.
    package var servers: [ServerUUID] {
        var servers: [ServerUUID] = []
        for member in members where servers.last != member.source.server { servers.append(member.source.server) }
        return servers
    }
}

// MARK: - Set operations

extension GTIDSet {
    /// Whether every transaction of `other` is in this set.
    ///
    /// The empty set is contained in every set.
    package func contains(_ other: GTIDSet) -> Bool {
        var mine = members.startIndex
        for member in other.members {
            while mine < members.endIndex, members[mine].source < member.source { mine += 1 }
            guard mine < members.endIndex, members[mine].source == member.source else { return false }
            guard covers(members[mine].intervals, member.intervals) else { return false }
        }
        return true
    }

    /// All transactions of both sets.
    package func union(_ other: GTIDSet) -> GTIDSet {
        merge(with: other) { mine, theirs in coalesced(mergedByStart(mine ?? [], theirs ?? [])) }
    }

    /// The transactions of this set that are not in `other`.
    package func subtracting(_ other: GTIDSet) -> GTIDSet {
        merge(with: other) { mine, theirs in difference(mine ?? [], theirs ?? []) }
    }

    /// Walks both member lists once and combines the intervals of each source; empty results are dropped.
    private func merge(with other: GTIDSet, _ combine: ([Interval]?, [Interval]?) -> [Interval]) -> GTIDSet {
        var result: [Member] = []
        var (left, right) = (members.startIndex, other.members.startIndex)
        func keep(_ source: Source, _ intervals: [Interval]) {
            if !intervals.isEmpty { result.append(Member(source: source, intervals: intervals)) }
        }
        while left < members.endIndex || right < other.members.endIndex {
            let mine = left < members.endIndex ? members[left] : nil
            let theirs = right < other.members.endIndex ? other.members[right] : nil
            switch (mine, theirs) {
            case (let mine?, let theirs?) where mine.source == theirs.source:
                keep(mine.source, combine(mine.intervals, theirs.intervals))
                (left, right) = (left + 1, right + 1)
            case (let mine?, let theirs) where theirs.map({ mine.source < $0.source }) ?? true:
                keep(mine.source, combine(mine.intervals, nil))
                left += 1
            case (_, let theirs?):
                keep(theirs.source, combine(nil, theirs.intervals))
                right += 1
            default:
                return GTIDSet(sorted: result)
            }
        }
        return GTIDSet(sorted: result)
    }
}

// MARK: - Interval lists (sorted by start unless said otherwise)

/// Sorts if needed and joins intervals that overlap or touch.
private func coalesced(_ intervals: [GTIDSet.Interval]) -> [GTIDSet.Interval] {
    var sorted = intervals
    if zip(intervals, intervals.dropFirst()).contains(where: { $0.first > $1.first }) {
        sorted.sort { $0.first < $1.first }
    }
    var result: [GTIDSet.Interval] = []
    result.reserveCapacity(sorted.count)
    for interval in sorted {
        if let last = result.last, interval.first <= last.last + 1 {
            if interval.last > last.last { result[result.count - 1].last = interval.last }
        } else {
            result.append(interval)
        }
    }
    return result
}

private func mergedByStart(_ left: [GTIDSet.Interval], _ right: [GTIDSet.Interval]) -> [GTIDSet.Interval] {
    var result: [GTIDSet.Interval] = []
    result.reserveCapacity(left.count + right.count)
    var (l, r) = (0, 0)
    while l < left.count, r < right.count {
        if left[l].first <= right[r].first {
            result.append(left[l])
            l += 1
        } else {
            result.append(right[r])
            r += 1
        }
    }
    result.append(contentsOf: left[l...])
    result.append(contentsOf: right[r...])
    return result
}

private func covers(_ outer: [GTIDSet.Interval], _ inner: [GTIDSet.Interval]) -> Bool {
    var position = 0
    for interval in inner {
        while position < outer.count, outer[position].last < interval.first { position += 1 }
        guard position < outer.count, outer[position].first <= interval.first, interval.last <= outer[position].last
        else { return false }
    }
    return true
}

private func difference(_ left: [GTIDSet.Interval], _ right: [GTIDSet.Interval]) -> [GTIDSet.Interval] {
    var result: [GTIDSet.Interval] = []
    var position = 0
    for interval in left {
        var rest = interval
        while position < right.count, right[position].last < rest.first { position += 1 }
        var cut = position
        var consumed = false
        while cut < right.count, right[cut].first <= rest.last {
            if right[cut].first > rest.first { result.append(.init(rest.first, right[cut].first - 1)) }
            if right[cut].last >= rest.last {
                consumed = true
                break
            }
            rest.first = right[cut].last + 1
            cut += 1
        }
        position = cut
        if !consumed { result.append(rest) }
    }
    return result
}
