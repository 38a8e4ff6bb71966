/// The text of `--help`, laid out as Vitess prints it.
package struct HelpText {
    private let program: String
    private let introduction: String
    private let table: FlagTable

    /// Composes the help of a program from its flags.
    package init(program: String, introduction: String, table: FlagTable) {
        (self.program, self.introduction, self.table) = (program, introduction, table)
    }

    /// Introduction and usage.
    package var text: String { introduction + "\n\n" + usage }

    /// The usage block: one line a flag, sorted by the bytes of the name.
    package var usage: String {
        var rows = table.flags.values.map { (name: $0.name, left: left($0), right: right($0)) }
        rows.append(("help", "  -h, --help", "help for \(program)"))
        rows.append(("version", "  -v, --version", "print binary version"))
        rows.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let width = (rows.map(\.left.count).max() ?? 0) + 3
        let lines = rows.map { $0.left + String(repeating: " ", count: width - $0.left.count) + $0.right }
        return "Usage:\n  \(program) [flags]\n\nFlags:\n" + lines.joined(separator: "\n") + "\n"
    }

    private func left(_ flag: FlagSpecification) -> String {
        "      --\(flag.name)" + (flag.type == "bool" ? "" : " \(flag.type)")
    }

    private func right(_ flag: FlagSpecification) -> String {
        guard let value = flag.defaultValue, !["", "0", "0s", "false", "[]"].contains(value) else { return flag.help }
        if flag.isList { return "\(flag.help) (default [\(value.replacing(", ", with: ","))])" }
        let isText = flag.type == "string"
        return "\(flag.help) (default \(isText ? quoted(value) : value))"
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
