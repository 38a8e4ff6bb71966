/// Reads arguments by Vitess's grammar and turns them into `--name=value` tokens, one a value (two when it is empty), for
/// the parser behind.
///
/// Names with underscores become dashed and are reported once each; booleans never take the next token; a list value is
/// one CSV record; a scalar given twice has its last value, and so has the list of tablet types.
package struct ArgumentNormalizer {
    /// What the arguments say.
    package struct Result: Hashable, Sendable {
        /// For the parser.
        package var tokens: [String] = []
        /// Names of the flags that were given.
        package var given: Set<String> = []
        package var help = false
        package var version = false
        /// Lines for stderr, without newline.
        package var notices: [String] = []
    }

    private static let keptUnderscores: Set<String> = ["log_dir", "log_link", "log_backtrace_at"]
    private static let replacedLists: Set<String> = ["init-backup-tablet-types"]
    private let table: FlagTable
    private let program: String

    /// Uses the flags of a program.
    package init(table: FlagTable, program: String) {
        (self.table, self.program) = (table, program)
    }

    /// Normalises the arguments, the program's name not among them.
    /// - Throws: ``UsageError`` for the first argument that cannot be used. The error has the notices made so far.
    package func normalize(_ arguments: [String]) throws(UsageError) -> Result {
        var result = Result()
        do throws(UsageError) {
            try read(arguments, into: &result)
        } catch {
            var error = error
            error.notices = result.notices
            throw error
        }
        return result
    }

    private func read(_ arguments: [String], into result: inout Result) throws(UsageError) {
        var values: [String: [String]] = [:]
        var order: [String] = []
        var positionals: [String] = []
        var noticed: Set<String> = []
        var rest = arguments[...]
        while let token = rest.popFirst() {
            if token == "--" {
                positionals += rest
                break
            }
            guard token.hasPrefix("-"), token != "-" else {
                positionals.append(token)
                continue
            }
            guard token.hasPrefix("--") else {
                try cluster(token, into: &result)
                continue
            }
            guard !token.hasPrefix("---"), !token.hasPrefix("--=") else {
                throw UsageError("bad flag syntax: \(token)")
            }
            let (typed, inlineValue) = split(token)
            let name = dashed(typed)
            if name != typed, noticed.insert(typed).inserted {
                result.notices.append("Flag --\(typed) has been deprecated, use --\(name) instead ")
            }
            if name == "help" || name == "version" {
                let on = try boolean(inlineValue ?? "true", shown: name == "help" ? "-h, --help" : "-v, --version")
                if name == "help" { result.help = on } else { result.version = on }
                continue
            }
            guard let flag = table.flags[name] else { throw UsageError("unknown flag: --\(typed)") }
            let value: String
            if let inlineValue {
                value = inlineValue
            } else if flag.type == "bool" {
                value = "true"
            } else if let next = rest.popFirst() {
                value = next
            } else {
                throw UsageError("flag needs an argument: --\(typed)")
            }
            let parsed = try FlagValue.parse(value, of: flag)
            if !result.given.contains(name) { order.append(name) }
            result.given.insert(name)
            values[name] = flag.isList && !Self.replacedLists.contains(name) ? (values[name] ?? []) + parsed : parsed
        }
        // The parser behind takes nothing behind an equals sign for a value that is missing.
        result.tokens = order.flatMap { name in
            (values[name] ?? []).flatMap { $0.isEmpty ? ["--\(name)", ""] : ["--\(name)=\($0)"] }
        }
        if let positional = positionals.first, !result.help, !result.version {
            throw UsageError("unknown command \"\(positional)\" for \"\(program)\"")
        }
    }

    private func split(_ token: String) -> (name: String, value: String?) {
        let body = token.dropFirst(2)
        guard let equals = body.firstIndex(of: "=") else { return (String(body), nil) }
        return (String(body[..<equals]), String(body[body.index(after: equals)...]))
    }

    private func dashed(_ name: String) -> String {
        if name.contains("-") || Self.keptUnderscores.contains(name) { return name }
        return name.replacing("_", with: "-")
    }

    /// One-letter flags behind one dash; only `-h` and `-v` exist.
    private func cluster(_ token: String, into result: inout Result) throws(UsageError) {
        var letters = token.dropFirst()
        while let letter = letters.first {
            guard letter == "h" || letter == "v" else {
                throw UsageError("unknown shorthand flag: '\(letter)' in -\(letters)")
            }
            letters = letters.dropFirst()
            var on = true
            if letters.first == "=" {
                on = try boolean(String(letters.dropFirst()), shown: letter == "h" ? "-h, --help" : "-v, --version")
                letters = ""
            }
            if letter == "h" { result.help = on } else { result.version = on }
        }
    }

    private func boolean(_ text: String, shown: String) throws(UsageError) -> Bool {
        guard let value = FlagValue.boolean(text) else {
            throw UsageError(
                "invalid argument \"\(text)\" for \"\(shown)\" flag: strconv.ParseBool: parsing \"\(text)\": invalid syntax"
            )
        }
        return value
    }
}
