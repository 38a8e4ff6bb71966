import Catalog
import SystemPackage
import Testing

@testable import Engines

@Suite("entries of a backup that is being made")
struct ConfirmedEntriesTests {
    private let files = ["a.ibd", "b.ibd"].map {
        SelectedFile(base: .data, folder: "/tablet/data", name: "vt_commerce/\($0)", size: 3)
    }

    @Test("are what the store has confirmed, in the order of the files")
    func confirmed() throws {
        let entries = ConfirmedEntries(files)
        entries.confirm(1, hash: 2, sizes: FileEntry.Sizes(raw: 3, stored: 4))
        entries.confirm(0, hash: 1, sizes: FileEntry.Sizes(raw: 3, stored: 5))
        let taken = try entries.take()
        #expect(taken.map(\.name) == ["vt_commerce/a.ibd", "vt_commerce/b.ibd"])
        #expect(taken.map(\.hash) == [1, 2])
        #expect(taken.map(\.sizes?.stored) == [5, 4])
    }

    @Test("are none at all while one is missing")
    func missing() throws {
        let entries = ConfirmedEntries(files)
        entries.confirm(0, hash: 1, sizes: FileEntry.Sizes(raw: 0, stored: 0))
        let error = try #require(throws: EngineError.self) { try entries.take() }
        #expect(error.code == .copyFailed)
        #expect("\(error)".contains("object 1 was never confirmed"))
    }
}
