/// Decodes an object from front to back, in pieces of any size.
///
/// Used by one thread at a time.
package protocol StreamDecoder: AnyObject {
    /// Decodes the next piece.
    /// - Parameters:
    ///   - piece: bytes that follow those of the last call.
    ///   - scratch: memory for content.
    ///   - output: called with content as it appears, in `scratch`.
    /// - Throws: ``CompressionError`` with code `corrupt`, or what `output` throws.
    func decode(
        next piece: UnsafeRawBufferPointer,
        scratch: UnsafeMutableRawBufferPointer,
        output: (UnsafeRawBufferPointer) throws -> Void
    ) throws

    /// Ends the object.
    /// - Throws: ``CompressionError`` with code `corrupt` when it cannot end here.
    func endStream() throws(CompressionError)
}
