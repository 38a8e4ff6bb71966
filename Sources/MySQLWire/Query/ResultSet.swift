/// The answer to one statement: rows in text form, or the effect of a change.
package struct ResultSet: Hashable, Sendable {
    package var columns: [String] = []
    /// Values in column order; `nil` is NULL.
    package var rows: [[String?]] = []
    package var affectedRows: UInt64 = 0

    /// Creates an empty answer.
    package init() {}

    /// The value of a named column in a row, without regard to case; `nil` for NULL and for a column that is not there.
    package func value(_ column: String, row: Int = 0) -> String? {
        guard rows.indices.contains(row),
            let index = columns.firstIndex(where: { $0.lowercased() == column.lowercased() })
        else {
            return nil
        }
        return rows[row][index]
    }

    /// The first value of the first row, for statements that ask for one thing.
    package var scalar: String? { rows.first?.first ?? nil }
}
