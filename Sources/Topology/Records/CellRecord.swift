import WireProtos

/// Where the records of a cell are kept.
package struct CellRecord: Hashable, Sendable {
    /// As the global store's address: its form is that of the implementation.
    package var serverAddress: String
    package var root: String

    /// Decodes what a store holds.
    /// - Throws: ``TopologyError`` with code `damagedRecord`.
    package init(_ file: TopologyFile, of path: String, coded coding: RecordCoding) throws(TopologyError) {
        self.init(try coding.decode(Topodata_CellInfo.self, file.bytes, path, .global))
    }

    /// Creates a record.
    package init(serverAddress: String, root: String) {
        (self.serverAddress, self.root) = (serverAddress, root)
    }
}
