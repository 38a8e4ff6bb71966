import Testing
import Vocabulary

@testable import CommandLineKit

@Suite("CSV records")
struct CSVRecordTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var fields: [String]
        var testDescription: String { "<\(text)>" }

        init(_ text: String, _ fields: [String]) {
            (self.text, self.fields) = (text, fields)
        }
    }

    @Test(
        "Fields",
        arguments: [
            Case("", []),
            Case("a", ["a"]),
            Case("a,b", ["a", "b"]),
            Case(" a , b ", [" a ", " b "]),
            Case(",", ["", ""]),
            Case("a,,b", ["a", "", "b"]),
            Case("a,", ["a", ""]),
            Case("\"a,b\",c", ["a,b", "c"]),
            Case("c,\"a,b\"", ["c", "a,b"]),
            Case("\"a\"\"b\"", ["a\"b"]),
            Case("\"\"\"\"", ["\""]),
            Case("\"\"", [""]),
            Case("\"\",\"\"", ["", ""]),
            Case("\"a\",", ["a", ""]),
            Case("é,漢", ["é", "漢"]),
            Case("it's,a=b", ["it's", "a=b"]),
        ]
    )
    func fields(_ sample: Case) throws {
        #expect(try CSVRecord.parse(sample.text) == sample.fields)
    }

    @Test(
        "Only the first line that is not blank is read",
        arguments: [
            Case("a,b\nc,d", ["a", "b"]),
            Case("\n\na,b\n", ["a", "b"]),
            Case("a,b\r\nc", ["a", "b"]),
            Case("\r\na,b\r\n", ["a", "b"]),
        ]
    )
    func firstLine(_ sample: Case) throws {
        #expect(try CSVRecord.parse(sample.text) == sample.fields)
    }

    struct Failure: CustomTestStringConvertible, Sendable {
        var text: String
        var message: String
        var testDescription: String { "<\(text)>" }

        init(_ text: String, _ message: String) {
            (self.text, self.message) = (text, message)
        }
    }

    @Test(
        "Errors, with the column",
        arguments: [
            Failure("a\"b", "parse error on line 1, column 2: bare \" in non-quoted field"),
            Failure("x, \"b\"", "parse error on line 1, column 4: bare \" in non-quoted field"),
            Failure("\"abc", "parse error on line 1, column 5: extraneous or missing \" in quoted-field"),
            Failure("\"a\"b", "parse error on line 1, column 3: extraneous or missing \" in quoted-field"),
            Failure("\"a\" ,b", "parse error on line 1, column 3: extraneous or missing \" in quoted-field"),
            Failure("x,\"", "parse error on line 1, column 4: extraneous or missing \" in quoted-field"),
            Failure("\n", "EOF"),
            Failure("\n\r\n\n", "EOF"),
        ]
    )
    func errors(_ sample: Failure) {
        #expect(throws: VocabularyError(sample.message)) { try CSVRecord.parse(sample.text) }
    }
}
