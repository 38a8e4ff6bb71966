/// A server version as `Ver x.y.z` in free text, with the product it belongs to.
package struct MySQLVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Whose server it is.
    package enum Product: String, Hashable, Sendable {
        case mysql, percona, mariadb
    }

    package var product: Product
    package var major: Int
    package var minor: Int
    package var patch: Int

    /// Creates a version from its parts.
    package init(product: Product = .mysql, _ major: Int, _ minor: Int, _ patch: Int) {
        (self.product, self.major, self.minor, self.patch) = (product, major, minor, patch)
    }

    /// Finds the first `Ver <n>.<n>.<n>` in `text` (the output of `mysqld --version`, or a manifest's `MySQLVersion`).
    /// - Throws: ``VocabularyError`` when there is none.
    package init(parsing text: String) throws(VocabularyError) {
        product = text.contains("Percona") ? .percona : text.contains("MariaDB") ? .mariadb : .mysql
        guard let match = text.firstMatch(of: /Ver ([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})/),
            let major = Int(match.1), let minor = Int(match.2), let patch = Int(match.3)
        else { throw VocabularyError("could not parse server version from: \(PrintableText.excerpt(text))") }
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    package static func < (left: MySQLVersion, right: MySQLVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    package var description: String { "\(major).\(minor).\(patch)" }

    /// Whether this version is at least `major.minor.patch`, whatever the product.
    package func isAtLeast(_ major: Int, _ minor: Int, _ patch: Int) -> Bool {
        (self.major, self.minor, self.patch) >= (major, minor, patch)
    }

    /// Whether a server that reports `running` may start on the data of a backup taken by `backup`.
    ///
    /// Within a series from 8.0.35 on any patch may read any other; a newer series only takes over from the LTS series
    /// before it (5.7, 8.0, 8.4, 9.7), and only from a backup made upgrade-safe. An empty `backup` is not checked.
    /// - Returns: `nil` when it may, else the reason in Vitess's words.
    package static func refusal(running: String, backup: String, upgradeSafe: Bool) -> String? {
        if backup.isEmpty || running == backup { return nil }
        let newer =
            "running MySQL version \"\(running)\" is newer than backup MySQL version \"\(backup)\" which is not safe to upgrade"
        let older = "running MySQL version \"\(running)\" is older than backup MySQL version \"\(backup)\""
        let tooNew = "running MySQL version \"\(running)\" is too new for backup MySQL version \"\(backup)\""
        let (from, to): (MySQLVersion, MySQLVersion)
        do {
            (to, from) = (try MySQLVersion(parsing: running), try MySQLVersion(parsing: backup))
        } catch {
            return error.message
        }
        guard from.product == to.product else {
            return "cannot use backup between different flavors: \"\(backup)\" vs. \"\(running)\""
        }
        if from == to { return nil }
        if (from.major, from.minor) != (to.major, to.minor) {
            guard upgradeSafe else { return to > from ? newer : older }
            let series = [(5, 7), (8, 0), (8, 4), (9, 7)]
            guard let step = series.firstIndex(where: { $0 == (from.major, from.minor) }) else {
                return to > from ? newer : older
            }
            if step + 1 < series.count, series[step + 1] == (to.major, to.minor) { return nil }
            return to > from ? tooNew : older
        }
        if from.isAtLeast(8, 0, 35), to.isAtLeast(8, 0, 35) { return nil }
        return to < from ? older : upgradeSafe ? nil : newer
    }
}
