import Testing

@testable import Engines

@Suite("holes of page-compressed tables")
struct PageHolesTests {
    private static let page = 16_384

    /// Pages, each of a type and with so many bytes at its beginning that are no zeros.
    private func pages(_ pages: (type: UInt16, used: Int)...) -> [UInt8] {
        pages.enumerated().flatMap { number, page in
            let head: [UInt8] =
                [7, 7, 7, 7, 0, 0, 0, UInt8(number)] + [UInt8](repeating: 7, count: 16)
                + [UInt8(page.type >> 8), UInt8(page.type & 0xff)]
            let content = page.used == 0 ? [] : head + [UInt8](repeating: 7, count: page.used - head.count)
            return content + [UInt8](repeating: 0, count: Self.page - content.count)
        }
    }

    private func written(_ content: [UInt8]) -> [Range<Int>] {
        content.withUnsafeBytes { PageHoles().written(of: $0, at: 0) }
    }

    @Test("are the ends of compressed pages, and unused pages", arguments: [14, 16, 34_354, 37_401, 0x8005])
    func compressed(_ type: UInt16) {
        let content = pages((8, 16_384), (type, 5_000), (type, 4_000), (0, 0), (17_855, 16_384))
        let page = Self.page
        #expect(written(content) == [0..<(page + 8_192), (2 * page)..<(2 * page + 4_096), (4 * page)..<(5 * page)])
    }

    @Test("are in no other tables, also where a row looks like a compressed page")
    func ordinary() {
        #expect(written(pages((8, 16_384), (17_855, 5_000), (0, 0))) == [0..<(3 * Self.page)])
        var row = pages((8, 16_384), (17_855, 16_384), (0, 0))
        (row[Self.page + 8_192 + 24], row[Self.page + 8_192 + 25]) = (0, 14)
        #expect(written(row) == [0..<(3 * Self.page)])
    }

    @Test("pieces that begin or end within a block: what is no whole block of the file is written")
    func uneven() {
        let content = pages((8, 16_384), (14, 100), (14, 100))
        for cut in [16_385, 20_000, 20_480, 32_768, 40_000, 49_151] {
            let holes = PageHoles()
            var (file, skipped) = ([UInt8](repeating: 0, count: content.count), 0)
            for piece in [content[..<cut], content[cut...]] {
                let parts = Array(piece).withUnsafeBytes { holes.written(of: $0, at: Int64(piece.startIndex)) }
                for part in parts {
                    let range = (piece.startIndex + part.lowerBound)..<(piece.startIndex + part.upperBound)
                    file.replaceSubrange(range, with: content[range])
                }
                skipped += piece.count - parts.reduce(0) { $0 + $1.count }
            }
            #expect(file == content, "cut at \(cut)")
            #expect(skipped >= 12_288, "cut at \(cut)")
        }
        #expect(written([]) == [])
    }
}
