import Testing

@testable import Positions

@Suite("Server UUIDs")
struct ServerUUIDTests {
    @Test("Both cases are read, lower case is printed")
    func printsLowerCase() throws {
        let uuid = try #require(ServerUUID("16B1039F-22b6-11ED-b765-0A43F95F28A3"))
        #expect(uuid.description == "16b1039f-22b6-11ed-b765-0a43f95f28a3")
        #expect(uuid == ServerUUID("16b1039f-22b6-11ed-b765-0a43f95f28a3"))
    }

    @Test(
        "Anything but 36 characters in the form 8-4-4-4-12 is refused",
        arguments: [
            "",
            "16b1039f22b611edb7650a43f95f28a3",
            "{16b1039f-22b6-11ed-b765-0a43f95f28a3}",
            "16b1039f-22b6-11ed-b765-0a43f95f28a",
            "16b1039f-22b6-11ed-b765-0a43f95f28a33",
            "16b1039g-22b6-11ed-b765-0a43f95f28a3",
            "16b1039f-22b6-11ed-b7650-a43f95f28a3",
            "16b1039f 22b6-11ed-b765-0a43f95f28a3",
            "16b1039f-22b6-11ed-b765-0a43f95f28é",
        ]
    )
    func refuses(_ text: String) {
        #expect(ServerUUID(text) == nil)
    }

    @Test("Order is that of the bytes, over both halves")
    func ordersByBytes() throws {
        let ordered = try [
            "00000000-0000-0000-0000-000000000001",
            "00000000-0000-0000-8000-000000000000",
            "00000000-0000-0001-0000-000000000000",
            "7fffffff-ffff-ffff-ffff-ffffffffffff",
            "80000000-0000-0000-0000-000000000000",
        ].map { try #require(ServerUUID($0)) }
        #expect(ordered.reversed().sorted() == ordered)
    }

    @Test("The bytes are most significant first, and come back")
    func bytes() throws {
        let uuid = try #require(ServerUUID(Sample.u0))
        #expect(uuid.bigEndianBytes == Array(0...15))
        #expect(ServerUUID(bigEndianBytes: uuid.bigEndianBytes[...]) == uuid)
    }
}
