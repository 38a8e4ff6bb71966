import Catalog
import InnoDB
import Logging
import Streams
import Synchronization
import SystemPackage

/// Verifies the InnoDB pages of one file while it is copied.
///
/// A page that does not fit is read again: only one that is bad on the disk is refused.
final class PageCheck: Sendable {
    /// Reads of a page that is bad at first.
    private static let rereads = 2

    let format: TablespaceFormat
    /// Whether the file begins with page 0.
    private let isFirst: Bool
    private let file: FileDescriptor
    private let path: FilePath
    private let tally: PageTally
    private let logger: Logger

    private init(
        _ format: TablespaceFormat,
        isFirst: Bool = true,
        _ file: FileDescriptor,
        _ path: FilePath,
        _ tally: PageTally,
        _ logger: Logger
    ) {
        (self.format, self.isFirst, self.file, self.path) = (format, isFirst, file, path)
        (self.tally, self.logger) = (tally, logger)
    }

    /// Looks at the first page of a file that goes into a backup; blocking.
    /// - Returns: `nil` for a file that is no tablespace by its name.
    /// - Throws: ``EngineError`` with code `damagedPage` when it should be one and is not; ``FileError``.
    static func begin(
        _ selected: SelectedFile,
        _ file: FileDescriptor,
        tally: PageTally,
        logger: Logger
    ) throws -> PageCheck? {
        guard selected.size > 0, isTablespace(selected) else { return nil }
        let path = selected.path
        switch try head(of: file, path) {
        case .tablespace(let format): return PageCheck(format, file, path, tally, logger)
        case .blank:
            // MariaDB makes a file of four pages before it writes any; a large one has lost its first page.
            guard selected.size <= 4 * Int64(TablespaceFormat.largestPage) else {
                throw EngineError(.damagedPage, "\(path) is damaged: page 0 is empty; HINT: \(hint)")
            }
            tally.skip(path)
            return nil
        case .other:
            // Only the first file of the system tablespace begins with page 0.
            if selected.base == .innodbData, !selected.name.hasSuffix("ibdata1") {
                guard let format = try systemFormat(beside: path) else {
                    tally.skip(path)
                    return nil
                }
                return PageCheck(format, isFirst: false, file, path, tally, logger)
            }
            throw EngineError(
                .damagedPage,
                "\(path) is damaged: page 0 is not the first page of a tablespace; HINT: \(hint)"
            )
        }
    }

    private static func systemFormat(beside path: FilePath) throws -> TablespaceFormat? {
        let first = path.removingLastComponent().appending("ibdata1")
        guard try FileTree.status(first) != nil else { return nil }
        let file = try fileCall("open", first) { try FileDescriptor.open(first, .readOnly, options: .closeOnExec) }
        defer { try? file.close() }
        return if case .tablespace(let format) = try head(of: file, first) { format } else { nil }
    }

    private static func head(of file: FileDescriptor, _ path: FilePath) throws -> Head {
        try fileCall("read", path) {
            try withScratch(TablespaceFormat.largestPage) { bytes in
                firstPage(UnsafeRawBufferPointer(rebasing: bytes[..<(try file.readFully(into: bytes, at: 0))]))
            }
        }
    }

    private enum Head {
        case tablespace(TablespaceFormat)
        /// Nothing was ever written there.
        case blank
        case other
    }

    private static func firstPage(_ bytes: UnsafeRawBufferPointer) -> Head {
        if let format = TablespaceFormat(firstPage: bytes) { return .tablespace(format) }
        return bytes.allSatisfy { $0 == 0 } ? .blank : .other
    }

    private static func isTablespace(_ file: SelectedFile) -> Bool {
        let name = file.name
        if name.hasSuffix(".ibd") || name.hasSuffix(".ibu") { return true }
        return file.base == .innodbData
            ? name.hasPrefix("ibdata") : name.wholeMatch(of: /undo_?[0-9]{3}/) != nil
    }

    private static let hint =
        "it must not get into a backup: restore the server from an older backup, or give --skip-page-check to copy it as it is"

    /// Verifies the pages of `content`, which was read at `offset`; what a second read makes good is replaced there.
    ///
    /// Blocking. A last part that is no whole page belongs to no page.
    /// - Throws: ``EngineError`` with code `damagedPage`, which names file and page.
    func verify(_ content: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        let size = format.pageSize
        var (good, unchecked) = (0, 0)
        for start in stride(from: 0, through: content.count - size, by: size) {
            let number = (offset + Int64(start)) / Int64(size)
            let page = UnsafeMutableRawBufferPointer(rebasing: content[start..<(start + size)])
            switch try verdict(page, number) {
            case .good: good += 1
            case .unchecked: unchecked += 1
            case .bad(let reason):
                throw EngineError(
                    .damagedPage,
                    "\(path) is damaged: page \(number) of \(size) bytes: \(reason); HINT: \(Self.hint)"
                )
            }
        }
        tally.add(good: good, unchecked: unchecked, of: path)
    }

    private func verdict(_ page: UnsafeMutableRawBufferPointer, _ number: Int64) throws -> PageVerdict {
        let index = UInt32(truncatingIfNeeded: number)
        var verdict = PageVerdict(UnsafeRawBufferPointer(page), number: isFirst ? index : nil, format: format)
        for _ in 0..<Self.rereads {
            guard case .bad(let reason) = verdict else { break }
            logger.warning("page \(number) of \(path) does not check out (\(reason)): reading it again")
            let offset = number * Int64(format.pageSize)
            // From the disk, not from the cache.
            file.adviseDone(offset: offset, count: format.pageSize)
            _ = try fileCall("read", path) { try file.readFully(into: page, at: offset) }
            verdict = PageVerdict(UnsafeRawBufferPointer(page), number: isFirst ? index : nil, format: format)
        }
        return verdict
    }
}

private func withScratch<Result>(
    _ count: Int,
    _ body: (UnsafeMutableRawBufferPointer) throws -> Result
) throws -> Result {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
    defer { bytes.deallocate() }
    return try body(bytes)
}

/// How many pages of a backup were verified, for its log.
final class PageTally: Sendable {
    private struct State {
        var good = 0
        var unchecked = 0
        var uncheckedFiles: Set<FilePath> = []
    }
    private let state = Mutex(State())

    func add(good: Int, unchecked: Int, of file: FilePath) {
        state.withLock { state in
            state.good += good
            state.unchecked += unchecked
            if unchecked > 0 { state.uncheckedFiles.insert(file) }
        }
    }

    /// Notes a file whose pages cannot be told.
    func skip(_ file: FilePath) { state.withLock { _ = $0.uncheckedFiles.insert(file) } }

    /// What the log says at the end.
    var summary: String {
        state.withLock { state in
            let verified = "page check: \(state.good) InnoDB pages are good"
            guard let first = state.uncheckedFiles.map(\.string).min() else { return verified }
            return verified
                + "; unchecked: \(state.unchecked) pages in \(state.uncheckedFiles.count) files, encrypted, compressed as a whole, without checksums, or InnoDB's doublewrite area (\(first)\(state.uncheckedFiles.count > 1 ? " and others" : ""))"
        }
    }
}
