import CISAL

/// Decodes gzip: whole members of ours, or any stream of members piece by piece.
///
/// One per thread at a time.
package final class GzipDecoder: StreamDecoder {
    private let state: UnsafeMutablePointer<inflate_state>
    /// What is known of a header that came in pieces: ISA-L's own header reading forgets it between two calls.
    private let header: UnsafeMutablePointer<isal_gzip_header>
    /// A member has begun and not ended.
    private var insideMember = false
    /// Of the current or next member; only then come the data.
    private var isHeaderRead = false
    private var members = 0

    /// Allocates the tables and begins a fresh stream.
    package init() {
        state = .allocate(capacity: 1)
        state.initialize(to: inflate_state())
        header = .allocate(capacity: 1)
        header.initialize(to: isal_gzip_header())
        beginStream()
    }

    deinit {
        state.deallocate()
        header.deallocate()
    }

    // MARK: One member

    /// Decodes one whole member of ours; it must use all of `member` and fill exactly `content`.
    /// - Throws: ``CompressionError`` with code `corrupt`, also for a wrong CRC or length.
    package func decode(
        _ member: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        state.pointee.next_in = UnsafeMutablePointer(mutating: member.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(member.count)
        state.pointee.next_out = content.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(content.count)
        let code = isal_inflate_stateless(state)
        guard code == ISAL_DECOMP_OK, state.pointee.block_state == ISAL_BLOCK_FINISH,
            state.pointee.avail_in == 0, state.pointee.avail_out == 0
        else {
            throw CompressionError(.corrupt, "gzip member does not decode to its \(content.count) bytes (code \(code))")
        }
    }

    // MARK: Stream of members

    /// Forgets what came before: the next bytes are the first of a stream.
    package func beginStream() {
        isal_inflate_init(state)
        members = 0
        beginMember()
    }

    private func beginMember() {
        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
        isal_gzip_header_init(header)
        isHeaderRead = false
        insideMember = false
    }

    /// - Returns: whether the header is complete; if not, all input is used up.
    private func readHeader() throws(CompressionError) -> Bool {
        let code = isal_read_gzip_header(state, header)
        guard code == ISAL_DECOMP_OK || code == ISAL_END_INPUT else { throw damaged(code) }
        isHeaderRead = code == ISAL_DECOMP_OK
        return isHeaderRead
    }

    private func damaged(_ code: Int32) -> CompressionError {
        CompressionError(.corrupt, "gzip stream is damaged in member \(members + 1) (code \(code))")
    }

    /// Decodes the next piece of a stream; `output` is called with content as it appears, in `scratch`.
    /// - Throws: ``CompressionError`` with code `corrupt`, or what `output` throws.
    package func decode(
        next piece: UnsafeRawBufferPointer,
        scratch: UnsafeMutableRawBufferPointer,
        output: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        state.pointee.next_in = UnsafeMutablePointer(mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(piece.count)
        while state.pointee.avail_in > 0
            || (insideMember && state.pointee.tmp_out_valid > state.pointee.tmp_out_processed)
        {
            insideMember = true
            if !isHeaderRead { guard try readHeader() else { break } }
            state.pointee.next_out = scratch.baseAddress?.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_out = UInt32(scratch.count)
            let before = state.pointee.avail_in
            let code = isal_inflate(state)
            guard code == ISAL_DECOMP_OK || code == ISAL_END_INPUT else { throw damaged(code) }
            let count = scratch.count - Int(state.pointee.avail_out)
            if count > 0 { try output(UnsafeRawBufferPointer(rebasing: scratch[..<count])) }
            if state.pointee.block_state == ISAL_BLOCK_FINISH {
                members += 1
                isal_inflate_reset(state)
                beginMember()
            } else if count == 0, state.pointee.avail_in == before {
                break
            }
        }
    }

    /// Ends a stream.
    /// - Throws: ``CompressionError`` with code `corrupt` when it has no member or stops inside one.
    package func endStream() throws(CompressionError) {
        guard members > 0, !insideMember else {
            throw CompressionError(
                .corrupt,
                members == 0 && !insideMember
                    ? "gzip stream is empty" : "gzip stream is truncated after \(members) members"
            )
        }
    }
}
