package import FoundationEssentials
import Positions
import Vocabulary

extension ListedBackup {
    /// Clocks of two hosts may differ by so many seconds without anybody noticing.
    package static let clockTolerance = 300.0

    /// Whether its name says that it was started after `now`: a clock was ahead then, or is behind now.
    package func isFromTheFuture(_ now: Date) -> Bool {
        time.map { $0.timeIntervalSince(now) > Self.clockTolerance } ?? false
    }

    /// What an operator should know of it although it is complete.
    package func warning(_ now: Date) -> String? {
        if isFromTheFuture(now), manifest != nil, let time {
            return
                "backup \(name) is named \(GoDuration.text(seconds: time.timeIntervalSince(now).rounded())) in the future: a clock was ahead, and tablets of Vitess restore it as the newest one until then; HINT: see the clocks of the machines, and remove it when newer ones are good"
        }
        if manifest?.position?.hasTags == true {
            return
                "the position of backup \(name) has tagged GTIDs in it, which Vitess cannot read: its tablets do not restore it"
        }
        return nil
    }

    /// Whether it holds more than `other`, or the same and was finished later.
    ///
    /// Names and times come from clocks, which may be wrong; positions do not.
    package func isNewer(than other: ListedBackup) -> Bool {
        let (mine, theirs) = (manifest?.position, other.manifest?.position)
        if let mine, let theirs, mine != theirs {
            if mine.isAtLeast(theirs) { return true }
            if theirs.isAtLeast(mine) { return false }
        }
        return isLater(than: other)
    }

    /// Whether it comes later by its times and name alone.
    private func isLater(than other: ListedBackup) -> Bool {
        let (mine, theirs) = (manifest?.finishedTime ?? time, other.manifest?.finishedTime ?? other.time)
        if let mine, let theirs, mine != theirs { return mine > theirs }
        return other.name.utf8.lexicographicallyPrecedes(name.utf8)
    }

    /// Complete full backups, oldest first: whatever holds all of another's transactions and more comes after it; among
    /// those that cannot be compared, or are at the same position, the time at which they were finished decides, then the
    /// name.
    package static func fullsByAge(_ backups: [ListedBackup]) -> [ListedBackup] {
        let fulls = backups.filter { $0.time != nil && $0.manifest?.incremental == false }
        let byTime = fulls.sorted { $1.isLater(than: $0) }
        // As nearly always, and then it needs no look at every pair.
        let isChain = zip(byTime, byTime.dropFirst()).allSatisfy { older, newer in
            guard let before = older.manifest?.position else { return false }
            return newer.manifest?.position?.isAtLeast(before) == true
        }
        return isChain ? byTime : orderedByPosition(byTime)
    }

    /// Takes again and again the latest one that no other of the rest contains.
    private static func orderedByPosition(_ byTime: [ListedBackup]) -> [ListedBackup] {
        let positions = byTime.map { $0.manifest?.position }
        // How many of those that are left hold all of it and more.
        var above = positions.map { mine in
            positions.count { theirs in
                guard let mine, let theirs, mine != theirs else { return false }
                return theirs.isAtLeast(mine)
            }
        }
        var left = Array(byTime.indices)
        var newestFirst: [ListedBackup] = []
        while let place = left.lastIndex(where: { above[$0] == 0 }) ?? left.indices.last {
            let index = left.remove(at: place)
            newestFirst.append(byTime[index])
            guard let taken = positions[index] else { continue }
            for other in left {
                if let position = positions[other], position != taken, taken.isAtLeast(position) { above[other] -= 1 }
            }
        }
        return newestFirst.reversed()
    }
}
