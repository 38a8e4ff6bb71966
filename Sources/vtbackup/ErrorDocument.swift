import FoundationEssentials
import Observability

/// A failure in JSON, for `--json`: `{"error": {"message": …}}`.
enum ErrorDocument {
    private struct Document: Encodable {
        struct Body: Encodable { var message: String }
        var error: Body
    }

    static func json(_ error: any Error) -> String {
        let document = Document(error: .init(message: "\(error)"))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? ErrorText.json(String(decoding: encoder.encode(document), as: UTF8.self)) + "\n")
            ?? "{\"error\": {}}\n"
    }
}
