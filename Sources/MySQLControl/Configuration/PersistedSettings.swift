import FoundationEssentials
import Host
import SystemPackage

/// What a server of the shard was told by `SET PERSIST`: it lies in the data, and decides which statements a server takes.
///
/// The server of a pass does not read it itself: a persisted setting has more say than any my.cnf, and some of them would
/// let this server write by itself. Passed on in my.cnf instead, before our last word, they keep the rest of their say.
struct PersistedSettings: Hashable, Sendable {
    /// Name and value, sorted by name.
    let settings: [Setting]

    struct Setting: Hashable, Sendable {
        var name: String
        var value: String
    }

    /// Reads `mysqld-auto.cnf`, whose groups differ from version to version; in each a setting is an object with a `Value`.
    /// - Throws: `DecodingError` for what is no JSON.
    init(_ bytes: [UInt8]) throws {
        var found: [Setting] = []
        try JSONDecoder().decode(Node.self, from: Data(bytes)).collect(into: &found)
        settings = found.sorted { $0.name < $1.name }
    }

    private enum Node: Decodable {
        case text(String)
        case group([String: Node])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let group = try? container.decode([String: Node].self) {
                self = .group(group)
            } else {
                self = .other
            }
        }

        func collect(into settings: inout [Setting]) {
            guard case .group(let members) = self else { return }
            for (name, member) in members {
                // Encrypted, for the keyring of the server that wrote them.
                if name.hasPrefix("mysql_sensitive") { continue }
                if case .group(let setting) = member, case .text(let value)? = setting["Value"] {
                    settings.append(Setting(name: name, value: value))
                } else {
                    member.collect(into: &settings)
                }
            }
        }
    }

    /// Lines of a my.cnf; a setting that this server does not know is passed over by it.
    ///
    /// What would not come back as the same value is left out: a line has no way to write it.
    var lines: [String] {
        settings.compactMap { setting in
            guard setting.name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_.".contains($0)) }),
                !setting.value.contains(where: { $0.isNewline || $0 == "\0" })
            else { return nil }
            let value = setting.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return "loose_\(setting.name) = \"\(value)\""
        }
    }
}

extension Mysqld {
    private static let mark = "# Persisted in the data\n"

    /// Passes on what is persisted in the data, before our last word in my.cnf.
    /// - Throws: ``MysqldError`` or ``FileError``.
    func includePersistedSettings() throws {
        let file = directory.data.appending("mysqld-auto.cnf")
        guard let bytes = try FileTree.read(file, limit: 1 << 20),
            let text = try FileTree.read(directory.configuration, limit: 1 << 22)
        else { return }
        let persisted: PersistedSettings
        do {
            persisted = try PersistedSettings(bytes)
        } catch {
            throw MysqldError(
                .configuration,
                "\(file) is no JSON, and no mysqld starts on it; HINT: another backup may be whole",
                cause: error
            )
        }
        let written = MyCnfFragment.including(
            persisted.lines,
            in: String(decoding: text, as: UTF8.self),
            mark: Self.mark
        )
        try FileTree.write(Array(written.utf8), to: directory.place(directory.configuration), owner: user.fileOwner)
    }
}

extension MyCnfFragment {
    /// A my.cnf with these lines in front of our last word, instead of those that stood there before.
    static func including(_ lines: [String], in text: String, mark: String) -> String {
        guard let end = text.firstRange(of: "[mysqld]\n# The last word")?.lowerBound else { return text }
        let begin = text.firstRange(of: "[mysqld]\n\(mark)")?.lowerBound ?? end
        let block = lines.isEmpty ? "" : "[mysqld]\n\(mark)" + lines.map { $0 + "\n" }.joined()
        return text[..<begin] + block + text[end...]
    }
}
