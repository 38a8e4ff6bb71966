/// Server UUIDs, in byte order: `u0` before `u` before `v`.
enum Sample {
    static let u0 = "00010203-0405-0607-0809-0a0b0c0d0e0f"
    static let u = "16b1039f-22b6-11ed-b765-0a43f95f28a3"
    static let v = "ffffffff-0000-1111-2222-333333333333"

    /// Replaces `U0`, `U` and `V` in a pattern, so that the interesting part of a set can be read.
    static func text(_ pattern: String) -> String {
        pattern.replacing("U0", with: u0).replacing("U", with: u).replacing("V", with: v)
    }
}
