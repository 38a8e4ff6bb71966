import Vocabulary

/// Values of flags as Go reads them, checked before the parser behind sees them.
enum FlagValue {
    /// Checks `text` and returns the canonical values: one, or any number for a list.
    static func parse(_ text: String, of flag: FlagSpecification) throws(UsageError) -> [String] {
        do throws(VocabularyError) {
            switch flag.type {
            case "bool":
                guard let value = boolean(text) else { throw invalidSyntax("ParseBool", text) }
                return [String(value)]
            case "int": return [String(try integer(text, signed: true))]
            case "uint": return [String(try integer(text, signed: false))]
            case "duration":
                _ = try GoDuration.parse(text)
                return [text]
            case "strings": return try CSVRecord.parse(text)
            case "severityFlag": return [String(try severity(text))]
            default: return [text]
            }
        } catch {
            throw UsageError("invalid argument \"\(text)\" for \"--\(flag.name)\" flag: \(error.message)")
        }
    }

    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default: nil
        }
    }

    /// 64 bits, with a base prefix (a leading zero means octal) and underscores between digits.
    private static func integer(_ text: String, signed: Bool) throws(VocabularyError) -> Int64 {
        let function = signed ? "ParseInt" : "ParseUint"
        var digits = text[...]
        var negative = false
        if signed, let sign = digits.first, sign == "-" || sign == "+" {
            negative = sign == "-"
            digits = digits.dropFirst()
        }
        var radix = 10
        var hasPrefix = false
        if digits.hasPrefix("0"), digits.count > 1 {
            let letter = digits.dropFirst().prefix(1).lowercased()
            let named = ["x": 16, "b": 2, "o": 8][letter]
            radix = named ?? 8
            hasPrefix = true
            digits = digits.dropFirst(named == nil ? 1 : 2)
        }
        guard !digits.isEmpty, digits.last != "_", hasPrefix || digits.first != "_", !digits.contains("__"),
            digits.allSatisfy({ $0 == "_" || $0.isASCII && $0.hexDigitValue.map { $0 < radix } == true })
        else { throw invalidSyntax(function, text) }
        let plain = digits.filter { $0 != "_" }
        guard let value = Int64((negative ? "-" : "") + plain, radix: radix) else {
            throw VocabularyError("strconv.\(function): parsing \"\(text)\": value out of range")
        }
        return value
    }

    /// 0 to 3, or the name.
    private static func severity(_ text: String) throws(VocabularyError) -> Int {
        if let index = ["INFO", "WARNING", "ERROR", "FATAL"].firstIndex(of: text.uppercased()) { return index }
        guard let number = Int(text) else { throw VocabularyError("strconv.Atoi: parsing \"\(text)\": invalid syntax") }
        guard (0...3).contains(number) else { throw VocabularyError("Severity \(number) out of range (min 0, max 3).") }
        return number
    }

    private static func invalidSyntax(_ function: String, _ text: String) -> VocabularyError {
        VocabularyError("strconv.\(function): parsing \"\(text)\": invalid syntax")
    }
}

/// One line of comma-separated values: quotes protect commas, a doubled quote is a quote, spaces are kept.
enum CSVRecord {
    static func parse(_ text: String) throws(VocabularyError) -> [String] {
        if text.isEmpty { return [] }
        let lines = text.split(omittingEmptySubsequences: true) { $0 == "\n" || $0 == "\r\n" }
        guard let line = lines.first else { throw VocabularyError("EOF") }
        let characters = Array(line)
        var fields: [String] = []
        var index = 0
        while true {
            var field = ""
            if index < characters.count, characters[index] == "\"" {
                index = try quoted(characters, from: index + 1, into: &field)
            } else {
                while index < characters.count, characters[index] != "," {
                    guard characters[index] != "\"" else {
                        throw VocabularyError("parse error on line 1, column \(index + 1): bare \" in non-quoted field")
                    }
                    field.append(characters[index])
                    index += 1
                }
            }
            fields.append(field)
            if index >= characters.count { return fields }
            index += 1
        }
    }

    /// Takes a field behind its opening quote; returns the index of what follows the closing one.
    private static func quoted(
        _ characters: [Character],
        from start: Int,
        into field: inout String
    ) throws(VocabularyError) -> Int {
        var index = start
        while index < characters.count {
            if characters[index] != "\"" {
                field.append(characters[index])
                index += 1
            } else if index + 1 < characters.count, characters[index + 1] == "\"" {
                field.append("\"")
                index += 2
            } else if index + 1 == characters.count || characters[index + 1] == "," {
                return index + 1
            } else {
                break
            }
        }
        throw VocabularyError("parse error on line 1, column \(index + 1): extraneous or missing \" in quoted-field")
    }
}
