import Catalog
import Host
import InnoDB
import Logging
import Synchronization
import SystemPackage

/// Verifies the InnoDB pages of one file while it is copied.
///
/// A page that does not fit is read again: only one that is bad on the disk is refused.
final class PageCheck: Sendable {
    /// Reads of a page that is bad at first.
    private static let rereads = 2

    let format: TablespaceFormat
    /// Where the file's pages stand in their tablespace.
    private let place: Place
    /// Whether the server has told of the file: what is bad in another is nobody's.
    private let isKnown: Bool
    private let file: FileDescriptor
    private let path: FilePath
    private let tally: PageTally
    private let logger: Logger

    private init(
        _ format: TablespaceFormat,
        _ place: Place,
        isKnown: Bool,
        _ file: FileDescriptor,
        _ path: FilePath,
        _ tally: PageTally,
        _ logger: Logger
    ) {
        (self.format, self.place, self.isKnown, self.file, self.path) = (format, place, isKnown, file, path)
        (self.tally, self.logger) = (tally, logger)
    }

    private enum Place {
        /// The file begins with page 0.
        case first
        /// A later file of the system tablespace; pages before this byte may be in the doublewrite area.
        case later(unsure: Int64)
    }

    /// Looks at the first page of a file that goes into a backup; blocking.
    /// - Returns: `nil` for a file that is no tablespace by its name, or whose pages cannot be judged.
    /// - Throws: ``EngineError`` with code `damagedPage` when it should be one and is not; ``FileError``.
    static func begin(
        _ selected: SelectedFile,
        _ file: FileDescriptor,
        tally: PageTally,
        logger: Logger
    ) throws -> PageCheck? {
        guard selected.size > 0 else { return nil }
        let path = selected.path
        let isKnown = tally.knows(path)
        guard isTablespace(selected) || (selected.base == .innodbData && isKnown == true) else { return nil }
        let head = try head(of: file, path)
        if case .tablespace(let format) = head {
            return PageCheck(format, .first, isKnown: isKnown ?? true, file, path, tally, logger)
        }
        // Only the first file of the system tablespace begins with page 0; later ones may begin with anything.
        if selected.base == .innodbData, let (format, size) = try firstOfSystem(beside: path) {
            let area = 3 * max(1 << 20, 64 * Int64(format.pageSize))
            return PageCheck(
                format,
                .later(unsure: max(0, area - size)),
                isKnown: isKnown ?? true,
                file,
                path,
                tally,
                logger
            )
        }
        let isBlank = if case .blank = head { true } else { false }
        // MariaDB makes a file of four pages before it writes any; a large one has lost its first page.
        if isBlank, selected.size <= 4 * Int64(TablespaceFormat.largestPage) {
            tally.skip(path)
            return nil
        }
        let fault = isBlank ? "page 0 is empty" : "page 0 is not the first page of a tablespace"
        guard isKnown ?? true else {
            logger.warning(
                "\(path) is copied unchecked: \(fault), and the server does not know the file; \(orphanHint)"
            )
            tally.skip(path)
            return nil
        }
        throw EngineError(.damagedPage, "\(path) is damaged: \(fault); HINT: \(hint)")
    }

    /// The first file of the system tablespace, whatever its name is, and its bytes.
    private static func firstOfSystem(beside path: FilePath) throws -> (TablespaceFormat, Int64)? {
        let folder = path.removingLastComponent()
        for name in try FileTree.list(folder) ?? [] where folder.appending(name) != path {
            let other = folder.appending(name)
            guard let status = try FileTree.status(other), status.kind == .regular, status.size > 0 else { continue }
            let file = try FileTree.open(other, .readOnly)
            defer { try? file.close() }
            if case .tablespace(let format) = try head(of: file, other), format.isSystem {
                return (format, status.size)
            }
        }
        return nil
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

    private static let orphanHint = "an ALTER TABLE that was cut off may have left it"
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
            let position = offset + Int64(start)
            let page = UnsafeMutableRawBufferPointer(rebasing: content[start..<(start + size)])
            switch try verdict(page, position / Int64(size)) {
            case .good: good += 1
            case .unchecked: unchecked += 1
            case .bad(let reason):
                let fault = "page \(position / Int64(size)) of \(size) bytes: \(reason)"
                guard isKnown else {
                    unchecked += 1
                    if tally.skip(path) {
                        logger.warning(
                            "\(path) is copied unchecked: \(fault), and the server does not know the file; \(Self.orphanHint)"
                        )
                    }
                    continue
                }
                throw EngineError(.damagedPage, "\(path) is damaged: \(fault); HINT: \(Self.hint)")
            }
        }
        tally.add(good: good, unchecked: unchecked, of: path)
    }

    private func verdict(_ page: UnsafeMutableRawBufferPointer, _ number: Int64) throws -> PageVerdict {
        let offset = number * Int64(format.pageSize)
        var verdict = judge(page, number)
        for _ in 0..<Self.rereads {
            guard case .bad(let reason) = verdict, isKnown else { break }
            logger.warning("page \(number) of \(path) does not check out (\(reason)): reading it again")
            // From the disk, not from the cache.
            file.adviseDone(offset: offset, count: format.pageSize)
            _ = try fileCall("read", path) { try file.readFully(into: page, at: offset) }
            verdict = judge(page, number)
        }
        return verdict
    }

    private func judge(_ page: UnsafeMutableRawBufferPointer, _ number: Int64) -> PageVerdict {
        let page = UnsafeRawBufferPointer(page)
        switch place {
        case .first: return PageVerdict(page, number: UInt32(truncatingIfNeeded: number), format: format)
        case .later(let unsure):
            let verdict = PageVerdict(page, number: nil, format: format)
            if case .bad = verdict, number * Int64(format.pageSize) < unsure { return .unchecked }
            return verdict
        }
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
    private let known: PathSet?

    /// Begins with nothing.
    /// - Parameter known: the files that the server has told of; `nil`: it was not asked.
    init(known: PathSet? = nil) {
        self.known = known
    }

    /// Whether the server has told of a file.
    ///
    /// Blocking; `nil`: it was not asked.
    func knows(_ file: FilePath) -> Bool? { known.map { $0.contains(file) } }

    func add(good: Int, unchecked: Int, of file: FilePath) {
        state.withLock { state in
            state.good += good
            state.unchecked += unchecked
            if unchecked > 0 { state.uncheckedFiles.insert(file) }
        }
    }

    /// Notes a file whose pages cannot be told.
    /// - Returns: whether that is new.
    @discardableResult
    func skip(_ file: FilePath) -> Bool { state.withLock { $0.uncheckedFiles.insert(file).inserted } }

    /// What the log says at the end.
    var summary: String {
        state.withLock { state in
            let verified = "page check: \(state.good) InnoDB pages are good"
            guard let first = state.uncheckedFiles.map(\.string).min() else { return verified }
            return verified
                + "; unchecked: \(state.unchecked) pages in \(state.uncheckedFiles.count) files, encrypted, compressed as a whole, without checksums, InnoDB's doublewrite area, or files that the server does not know (\(first)\(state.uncheckedFiles.count > 1 ? " and others" : ""))"
        }
    }
}
