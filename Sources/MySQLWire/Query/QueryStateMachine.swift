import NIOCore

/// The answer to COM_QUERY, statement by statement.
///
/// Pure: packets in, results out at the end.
struct QueryStateMachine {
    /// What a query may bring into memory.
    struct Limits: Equatable {
        var rows = 10_000
        var bytes = 64 << 20

        /// Of rows that are not kept here: as many as a server with millions of tables has.
        static let passing = Limits(rows: .max, bytes: 1 << 30)
    }

    /// Takes a row instead of the result.
    typealias RowConsumer = @Sendable ([String?]) -> Void

    private enum State {
        case header
        case columns(remaining: Int)
        case endOfColumns
        case rows
    }

    private static let moreResults: UInt16 = 8
    private let deprecatesEOF: Bool
    private let limits: Limits
    private let consumer: RowConsumer?
    private var state = State.header
    private var results: [ResultSet] = []
    private var current = ResultSet()
    private var rowCount = 0
    private var byteCount = 0

    /// Waits for an answer.
    /// - Parameters:
    ///   - capabilities: agreed on with the server.
    ///   - limits: what is too much.
    ///   - consumer: takes each row as it comes; the results have none then.
    init(capabilities: Capabilities, limits: Limits = Limits(), consumer: RowConsumer? = nil) {
        deprecatesEOF = capabilities.contains(.deprecateEOF)
        (self.limits, self.consumer) = (limits, consumer)
    }

    /// Takes the next packet.
    /// - Returns: all results when the answer is complete.
    /// - Throws: the server's error, after which the connection can be used again, or another error, after which it cannot.
    mutating func received(_ packet: ByteBuffer) throws(MySQLWireError) -> [ResultSet]? {
        do throws(MySQLWireError) {
            return try take(packet)
        } catch {
            var error = error
            error.statement = results.count + 1
            throw error
        }
    }

    private mutating func take(_ packet: ByteBuffer) throws(MySQLWireError) -> [ResultSet]? {
        var packet = packet
        byteCount += packet.readableBytes
        guard byteCount <= limits.bytes else {
            throw MySQLWireError(.resultTooLarge, "the result has more than \(limits.bytes) bytes")
        }
        switch state {
        case .header: return try header(&packet)
        case .columns(let remaining): try column(&packet, remaining: remaining)
        case .endOfColumns:
            guard packet.getInteger(at: packet.readerIndex, as: UInt8.self) == 0xfe else {
                throw MySQLWireError(.protocolViolation, "the columns of a result do not end")
            }
            state = .rows
        case .rows: return try row(&packet)
        }
        return nil
    }

    private mutating func header(_ packet: inout ByteBuffer) throws(MySQLWireError) -> [ResultSet]? {
        switch packet.getInteger(at: packet.readerIndex, as: UInt8.self) {
        case 0x00?:
            packet.moveReaderIndex(forwardBy: 1)
            return try finish(&packet)
        case 0xff?:
            packet.moveReaderIndex(forwardBy: 1)
            throw MySQLWireError(errorPacket: &packet)
        case 0xfb?: throw MySQLWireError(.protocolViolation, "the server asked for a local file, which is never given")
        case nil: throw .truncated
        default: break
        }
        guard let count = try packet.lengthEncodedInteger(), (1...4096).contains(count) else {
            throw MySQLWireError(.protocolViolation, "impossible number of columns")
        }
        state = .columns(remaining: Int(count))
        return nil
    }

    private mutating func column(_ packet: inout ByteBuffer, remaining: Int) throws(MySQLWireError) {
        for _ in 0..<4 { _ = try packet.lengthEncodedString() }  // catalog, schema, table, original table
        current.columns.append(try packet.lengthEncodedString() ?? "")
        state = remaining > 1 ? .columns(remaining: remaining - 1) : deprecatesEOF ? .rows : .endOfColumns
    }

    private mutating func row(_ packet: inout ByteBuffer) throws(MySQLWireError) -> [ResultSet]? {
        let first = packet.getInteger(at: packet.readerIndex, as: UInt8.self)
        if first == 0xff {
            packet.moveReaderIndex(forwardBy: 1)
            throw MySQLWireError(errorPacket: &packet)
        }
        if first == 0xfe, packet.readableBytes < (deprecatesEOF ? 0xff_ffff : 9) {
            packet.moveReaderIndex(forwardBy: 1)
            return deprecatesEOF ? try finish(&packet) : try finishWithEOF(&packet)
        }
        rowCount += 1
        guard rowCount <= limits.rows else {
            throw MySQLWireError(.resultTooLarge, "the result has more than \(limits.rows) rows")
        }
        var values: [String?] = []
        values.reserveCapacity(current.columns.count)
        for _ in current.columns { values.append(try packet.lengthEncodedString()) }
        if let consumer { consumer(values) } else { current.rows.append(values) }
        return nil
    }

    /// An OK packet, its first byte taken.
    private mutating func finish(_ packet: inout ByteBuffer) throws(MySQLWireError) -> [ResultSet]? {
        current.affectedRows = try packet.lengthEncodedInteger() ?? 0
        _ = try packet.lengthEncodedInteger()
        return next(status: try packet.mysqlInteger(UInt16.self))
    }

    private mutating func finishWithEOF(_ packet: inout ByteBuffer) throws(MySQLWireError) -> [ResultSet]? {
        try packet.skip(2)
        return next(status: try packet.mysqlInteger(UInt16.self))
    }

    private mutating func next(status: UInt16) -> [ResultSet]? {
        results.append(current)
        current = ResultSet()
        state = .header
        return status & Self.moreResults == 0 ? results : nil
    }
}
