/// Where the records of a cell are kept.
package struct CellRecord: Hashable, Sendable {
    /// As the global store's address: its form is that of the implementation.
    package var serverAddress: String
    package var root: String

    /// Creates a record.
    package init(serverAddress: String, root: String) {
        (self.serverAddress, self.root) = (serverAddress, root)
    }
}
