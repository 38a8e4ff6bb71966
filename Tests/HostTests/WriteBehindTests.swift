import Glibc
import Host
import SystemPackage
import Testing

/// A file system in memory lets nothing go.
private let isOnDisk: Bool = {
    let mounts = (try? FileTree.read("/proc/mounts", limit: 1 << 20)) ?? nil
    return !String(decoding: mounts ?? [], as: UTF8.self).contains(" /var/tmp tmpfs ")
}()

/// What stays in the page cache of a file that is written.
@Suite("write behind", .enabled(if: isOnDisk, "/var/tmp is no disk"), .timeLimit(.minutes(5)))
struct WriteBehindTests {
    private static let spans = 4

    /// Writes four spans, and tells which of them are in memory.
    private func residentSpans(waits: Bool) throws -> [Bool] {
        let path = FilePath("/var/tmp/vtb-write-behind-\(UInt32.random(in: .min ... .max))")
        let file = try FileDescriptor.open(
            path,
            .readWrite,
            options: [.create, .exclusiveCreate],
            permissions: .ownerReadWrite
        )
        defer {
            try? file.close()
            unlink(path.string)
        }
        let behind = WriteBehind(file, waits: waits)
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        let size = Self.spans * Int(WriteBehind.span)
        for offset in stride(from: 0, to: size, by: piece.count) {
            try file.writeAll(toAbsoluteOffset: Int64(offset), piece)
            try behind.wrote(piece.count)
        }
        let map = try #require(mmap(nil, size, PROT_READ, MAP_SHARED, file.rawValue, 0))
        defer { munmap(map, size) }
        let page = Int(getpagesize())
        var pages = [UInt8](repeating: 0, count: size / page)
        #expect(mincore(map, size, &pages) == 0)
        let perSpan = pages.count / Self.spans
        return (0..<Self.spans).map { span in pages[span * perSpan..<(span + 1) * perSpan].contains { $0 & 1 != 0 } }
    }

    @Test("a durable file lets its pages go behind the window")
    func durable() throws {
        #expect(try residentSpans(waits: true) == [false, false, false, true])
    }

    @Test("of what is thrown away soon nobody waits for the disk, and pages stay for longer")
    func scratch() throws {
        #expect(try residentSpans(waits: false) == [true, true, true, true])
    }
}
