/// A stream that zlib made (level 9, with a file name): dynamic Huffman codes and long matches.
///
/// Made once with Python's `gzip`; an input, not an output of ours.
enum ZlibSample {
    static var content: [UInt8] {
        (0..<120).flatMap { number in
            Array("row \(number): \(String(repeating: "abc", count: number % 7))\(number * number)\n".utf8)
        }
    }

    static var stream: [UInt8] {
        let digits = Array(hexadecimal.joined().utf8)
        return stride(from: 0, to: digits.count, by: 2).map { nibble(digits[$0]) << 4 | nibble(digits[$0 + 1]) }
    }

    private static func nibble(_ digit: UInt8) -> UInt8 {
        digit <= UInt8(ascii: "9") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
    }

    private static let hexadecimal = [
        "1f8b080800f1536502ff726f77732e747874006d96cbb11c210c45f78e6242401f8478d9d80ec055de387d6b9a2b1e0354f5",
        "a2a707840e57bfbf7ffebdcad7abfcf81b2ff4f5faf9eb373deffcbcc7a3cf4fc99ff1f4e78b2e5fdebbecf95a3fbfc6c3f5",
        "f9c38e3fe291b1a97dbd7418f567958d337b6ef1e11295c50615f84c9b1f8cc57c1c483aec92dc7c211b2e5080511f8ed1c0",
        "6130d084e08a056d31c50e0bfe695f18e7f6e35c31dc76b9b9a460e46054c5cac1a53e6cf264a93c4ee75598da869fbce962",
        "20e25316cb2dede652cb5382b1a50f83cbe1a14c960eff65d5a803593681a8e09ae494870aae56f42a1d410e094c4ab564b0",
        "11434c994024d05a56a5223ce0c0a61355c4949e2a918151e91e54885d0d5a6a086c1d84e4887a9d54d49112ba0ac60548ba",
        "c9c584b4d3532ce602eb7ef38ca5c099a0652dc3cd3a08b982aa4e2ab65cb2eac60d56ea261a3b4eafa762dcb358d46b5148",
        "da1ab442b8903a08239760775289e05aebaa9b286ede36d12415b353316950daf8ea9923422c68a523886c106a419cd9a4d2",
        "0c455b755341b4da269a2aa2dc4ec5d4901dd6af95a221ab5a79d75210b641580b32b34daa4ac8ddb6ea5605d9dd36d1aaa2",
        "28b453b19ab5a45d4b7c6db935686bcf0350e84bba31a9827338ebab6e96a5d037d1ac02dcf952c970677e2df8e6b86e0fda",
        "56208a0fc296d2f9a46a02817dd5ad5584816fa2b58660f153b1d61167fd5af73d9b5b0f5a6704726794d96c8f93ca0d49d1",
        "57dddc913a7d13ad6782f553b1700c9baee5bf2bd2ba076d37247f1f84dd4b36ea8915afd9a80b7db46f9e8b8f46a0b04be5",
        "d60a0c2ec4ba6bc92d0e042aef7640491b3b47d925965cf0dd12a2faa7d98fa64066e9ccde16c87330a14b63e0ef09e5de1a",
        "58725479cf2ac435c713cc27c42d4712fa6e10dc7336a155569239a4d0a62a89e6b442a7a8515f736ca16ba320e939bfbc07",
        "18528a8cfb0f57d0f959370a0000",
    ]
}
