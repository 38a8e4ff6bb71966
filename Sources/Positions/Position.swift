/// A replication position of any flavor, in the encoded form `<flavor>/<text>` that manifests and RPCs carry.
package enum Position: Hashable, Sendable {
    case mysql56(GTIDSet)
    case mariaDB(MariaDBPosition)
    case filePosition(FilePosition)

    /// The kind of server that a position belongs to; the raw value is the prefix of the encoded form.
    package enum Flavor: String, Hashable, Sendable, CaseIterable {
        case mysql56 = "MySQL56"
        case mariaDB = "MariaDB"
        case filePosition = "FilePos"
    }

    /// Parses `text`, which has no flavor prefix.
    /// - Throws: ``PositionError``.
    package init(_ text: String, flavor: Flavor) throws(PositionError) {
        switch flavor {
        case .mysql56: self = .mysql56(try GTIDSet(text))
        case .mariaDB: self = .mariaDB(try MariaDBPosition(text))
        case .filePosition: self = .filePosition(try FilePosition(text))
        }
    }

    /// Decodes `<flavor>/<text>`, split at the first slash; the empty string is "no position" and gives `nil`.
    ///
    /// - Parameters:
    ///   - encoded: the text of a manifest or of a record.
    ///   - defaultFlavor: taken when there is no slash; `nil` makes such a text an error.
    /// - Returns: the position, or `nil` for no position.
    /// - Throws: ``PositionError``.
    package static func decode(_ encoded: String, defaultFlavor: Flavor? = nil) throws(PositionError) -> Position? {
        if encoded.isEmpty { return nil }
        guard let slash = encoded.firstIndex(of: "/") else {
            guard let defaultFlavor else { throw PositionError("parse error: unknown GTIDSet flavor \"\"") }
            return try Position(encoded, flavor: defaultFlavor)
        }
        let prefix = String(encoded[..<slash])
        guard let flavor = Flavor(rawValue: prefix) else {
            throw PositionError("parse error: unknown GTIDSet flavor \"\(PositionError.excerpt(prefix))\"")
        }
        return try Position(String(encoded[encoded.index(after: slash)...]), flavor: flavor)
    }

    /// Decodes a MySQL position whose prefix may be missing.
    /// - Throws: ``PositionError`` for every other flavor and for an empty text.
    package static func decodeMySQL56(_ encoded: String) throws(PositionError) -> GTIDSet {
        if case .mysql56(let set)? = try? decode(encoded, defaultFlavor: .mysql56) { return set }
        throw PositionError(
            "\(PositionError.excerpt(encoded)): expected MySQL GTID position but found a different or invalid format."
        )
    }

    /// The flavor of the server.
    package var flavor: Flavor {
        switch self {
        case .mysql56: .mysql56
        case .mariaDB: .mariaDB
        case .filePosition: .filePosition
        }
    }

    /// The text without the flavor prefix, as SQL statements take it.
    package var text: String {
        switch self {
        case .mysql56(let set): set.description
        case .mariaDB(let position): position.description
        case .filePosition(let position): position.description
        }
    }

    /// `<flavor>/<text>`.
    package var encoded: String { flavor.rawValue + "/" + text }

    /// Whether there are tagged GTIDs (MySQL 8.3 and later) in it, which Vitess cannot read.
    package var hasTags: Bool {
        if case .mysql56(let set) = self { set.members.contains { !$0.source.tag.isEmpty } } else { false }
    }

    /// True when no transaction is in it.
    package var isEmpty: Bool {
        switch self {
        case .mysql56(let set): set.isEmpty
        case .mariaDB(let position): position.isEmpty
        case .filePosition(let position): position.isEmpty
        }
    }

    /// Whether this position has reached `other`; positions of different flavors never do.
    ///
    /// A missing goal is reached.
    package func isAtLeast(_ other: Position?) -> Bool {
        guard let other else { return true }
        return switch (self, other) {
        case (.mysql56(let mine), .mysql56(let theirs)): mine.contains(theirs)
        case (.mariaDB(let mine), .mariaDB(let theirs)): mine.contains(theirs)
        case (.filePosition(let mine), .filePosition(let theirs)): mine.contains(theirs)
        default: false
        }
    }

    /// The transactions of this position that `other` does not have.
    ///
    /// Of MariaDB, whose positions say only how far a domain has come: the domains that are further here.
    /// - Returns: `nil` when the two cannot be compared: other flavors, or binary log coordinates.
    package func errant(against other: Position) -> Position? {
        switch (self, other) {
        case (.mysql56(let mine), .mysql56(let theirs)): .mysql56(mine.subtracting(theirs))
        case (.mariaDB(let mine), .mariaDB(let theirs)): .mariaDB(mine.domains(beyond: theirs))
        default: nil
        }
    }
}

extension Position: CustomStringConvertible {
    package var description: String { text }
}

extension Position? {
    /// The encoded form, empty without a position.
    package var encoded: String { self?.encoded ?? "" }
}
