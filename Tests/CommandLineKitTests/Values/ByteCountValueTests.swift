import Testing

@testable import CommandLineKit

@Suite("flags that count bytes")
struct ByteCountValueTests {
    @Test(
        "numbers and units",
        arguments: [
            ("0", 0), ("268435456", 256 << 20), ("256MiB", 256 << 20), ("256M", 256 << 20), ("3GiB", 3 << 30),
            ("1K", 1024), ("9007199254740991", 9_007_199_254_740_991),
        ]
    )
    func parses(text: String, bytes: Int) {
        #expect(ByteCountValue(argument: text)?.bytes == bytes)
    }

    @Test(
        "everything else is no number of bytes",
        arguments: ["", "MiB", "-1", "1.5GiB", "1 MiB", "1MB", "1mib", "9223372036854775807K", "99999999999999999999"]
    )
    func refuses(text: String) {
        #expect(ByteCountValue(argument: text) == nil)
    }

    @Test(
        "prints in the largest whole unit",
        arguments: [(256 << 20, "256MiB"), (1000, "1000"), (0, "0"), (3 << 10, "3KiB")]
    )
    func prints(bytes: Int, text: String) {
        #expect(ByteCountValue(bytes: bytes).description == text)
    }
}
