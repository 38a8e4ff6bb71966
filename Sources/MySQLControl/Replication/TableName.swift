import MySQLWire

/// A table as the server names it.
package struct TableName: Hashable, Sendable, CustomStringConvertible {
    package var schema: String
    package var table: String

    /// Names a table.
    package init(schema: String, table: String) {
        (self.schema, self.table) = (schema, table)
    }

    package var description: String { "\(schema).\(table)" }

    /// As it stands in a statement.
    var sql: String { "\(SQLText.name(schema)).\(SQLText.name(table))" }
}
