import Catalog
import Compression
import Concurrency
import NIOCore
import Processes
import Storage
import Synchronization

/// Finds out how much less than its size a backup may take when it is restored, because of page-compressed tables.
///
/// A manifest tells the size of a table with its holes, and what of it is stored. Of an ordinary table that says nothing;
/// of one whose pages InnoDB has compressed already, no codec makes much less than what lies beside the holes. So tables are
/// read until they show which kind they are, and only where it matters.
struct HoleProbe: Sendable {
    let format: StoredFormat
    let reader: any BackupReader
    let dataPlane: DataPlane

    typealias Candidate = (index: Int, file: FileEntry)

    /// Content of each table that is looked at: the first pages of a table that grew under `COMPRESSION` are compressed.
    private static let content: Int64 = 1 << 20
    private static let tablesAtOnce = 4
    /// When so many, those with the most to save, have shown no hole, there are none that matter.
    private static let tablesWithout = 500
    /// What the decoder of one stream may take.
    private static let decoderMemory = 8 << 20

    /// Looks at tables until they save enough, or cannot any more.
    /// - Parameters:
    ///   - files: of the backup, with their indexes.
    ///   - wanted: how many bytes would have to be saved.
    /// - Returns: how many bytes the holes of page-compressed tables save at most, as far as was looked.
    /// - Throws: `CancellationError`; what cannot be read saves nothing, and is told by who restores it.
    func saved(by files: [Candidate], wanted: Int64) async throws -> Int64 {
        let tables = files.filter { $0.file.name.hasSuffix(".ibd") && saving($0) > 0 }
            .sorted { saving($0) > saving($1) }
        var left = total(tables[...])
        var (saved, next) = (Int64(0), 0)
        while next < tables.count, saved < wanted, left >= wanted - saved, saved > 0 || next < Self.tablesWithout {
            let some = tables[next..<min(next + Self.tablesAtOnce, tables.count)]
            let found = Mutex(Int64(0))
            try await forEach(in: some, atMost: Self.tablesAtOnce) { table in
                guard try await hasHoles(table) else { return }
                found.withLock { $0.add(saving(table)) }
            }
            saved.add(found.withLock { $0 })
            left -= total(some)
            next += some.count
        }
        return saved
    }

    private func total(_ tables: ArraySlice<Candidate>) -> Int64 {
        tables.reduce(into: 0) { $0.add(saving($1)) }
    }

    /// Whatever a manifest says of sizes.
    private func saving(_ table: Candidate) -> Int64 {
        guard let sizes = table.file.sizes, sizes.stored >= 0 else { return 0 }
        return max(0, sizes.raw) - min(max(0, sizes.raw), sizes.stored)
    }

    private func hasHoles(_ table: Candidate) async throws -> Bool {
        let state = State(format.makeStreamDecoder())
        // Decoders count like chunks in flight.
        let weight = min(Self.decoderMemory, dataPlane.slots.count)
        try await dataPlane.slots.acquire(weight)
        defer { dataPlane.slots.release(weight) }
        do {
            let object = try table.file.chunks.first.map { try ObjectName($0.storageName) } ?? .file(table.index)
            try await reader.withObject(object) { source in
                if case .external(let command) = format { return try await look(state, source, through: command) }
                while let piece = try await source.next() {
                    try await dataPlane.threads.run { try piece.withUnsafeReadableBytes { try state.take($0) } }
                }
            }
        } catch is Enough {
            // It has shown itself.
        } catch {
            try Task.checkCancellation()
        }
        return state.holes.hasShown
    }

    private func look(_ state: State, _ source: any ObjectSource, through command: ExternalCommand) async throws {
        try await ExternalProcess(command) { _ in }.run {
            try await source.next()
        } output: { content in
            try content.withUnsafeReadableBytes { try state.look($0) }
        }
    }

    private struct Enough: Error {}

    /// What has been seen of one table.
    ///
    /// Unchecked: the decoder and the buffer are no Sendable, but pieces of an object come one after another, and each job on
    /// the threads has ended before the next begins.
    private final class State: @unchecked Sendable {
        let holes = PageHoles()
        private let decoder: (any StreamDecoder)?
        private lazy var scratch = RawBuffer(count: 1 << 18)
        private var seen: Int64 = 0

        init(_ decoder: (any StreamDecoder)?) { self.decoder = decoder }

        /// Takes stored bytes.
        func take(_ piece: UnsafeRawBufferPointer) throws {
            guard let decoder else { return try look(piece) }
            try decoder.decode(next: piece, scratch: scratch.bytes) { try look($0) }
        }

        /// Takes content.
        func look(_ bytes: UnsafeRawBufferPointer) throws {
            _ = holes.written(of: bytes, at: seen)
            seen += Int64(bytes.count)
            if holes.hasShown || seen >= HoleProbe.content { throw Enough() }
        }
    }
}
