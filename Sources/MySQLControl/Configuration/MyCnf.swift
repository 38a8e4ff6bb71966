package import SystemPackage
package import Vocabulary

/// The my.cnf of one mysqld: the values that differ from server to server, and the text made from them.
package struct MyCnf: Hashable, Sendable {
    package var directory: TabletDirectory
    package var serverID: UInt32
    package var port: Int
    package var socket: FilePath

    /// The standard values for a tablet folder.
    package init(directory: TabletDirectory, serverID: UInt32, port: Int, socket: FilePath? = nil) {
        (self.directory, self.serverID, self.port) = (directory, serverID, port)
        self.socket = socket ?? directory.socket
    }

    /// A server id that neither mysqlbinlog, nor fake clients, nor a signed 32-bit variable trips over.
    package static func randomServerID(using generator: inout some RandomNumberGenerator) -> UInt32 {
        UInt32.random(in: 100...UInt32(Int32.max), using: &generator)
    }

    /// Composes the template for a server version and renders it.
    /// - Parameters:
    ///   - version: decides on the fragment.
    ///   - extra: path and text of each `EXTRA_MY_CNF` fragment.
    /// - Returns: the whole my.cnf.
    /// - Throws: ``MysqldError`` with code `configuration`.
    package func text(version: MySQLVersion, extra: [(path: String, text: String)] = []) throws(MysqldError) -> String {
        var template = "[mysqld]\n" + MyCnfFragment.common
        if let fragment = MyCnfFragment.fragment(for: version) { template += fragment }
        for (path, text) in extra { template += "## \(path)\n\(text)\n" }
        return try render(template, version: version)
    }

    /// Fills in a whole my.cnf, and has the last word in it.
    /// - Throws: ``MysqldError`` with code `configuration`.
    package func render(_ template: String, version: MySQLVersion) throws(MysqldError) -> String {
        try render(template + (template.hasSuffix("\n") ? "" : "\n") + MyCnfFragment.lastWord(for: version))
    }

    /// Fills in a template: `{{.Field}}` and `{{if .Field}}…{{else}}…{{end}}` of Go's template language.
    /// - Throws: ``MysqldError`` with code `configuration` for anything else between double braces.
    package func render(_ template: String) throws(MysqldError) -> String {
        var output = ""
        // For each open `if`: whether its current branch is written, and whether it is the one after `else`.
        var branches: [(isWritten: Bool, isElse: Bool)] = []
        var rest = template[...]
        while let open = rest.firstRange(of: "{{") {
            if branches.allSatisfy(\.isWritten) { output += rest[..<open.lowerBound] }
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else { throw unsupported("{{ without }}") }
            let action = rest[open.upperBound..<close.lowerBound].split(separator: " ").map(String.init)
            rest = rest[close.upperBound...]
            switch (action.first, action.count) {
            // Go takes the empty string and the number 0 for false.
            case ("if", 2): branches.append((try !["", "0"].contains(value(action[1])), false))
            case ("else", 1) where branches.last?.isElse == false:
                branches[branches.count - 1] = (!branches[branches.count - 1].isWritten, true)
            case ("end", 1) where !branches.isEmpty: branches.removeLast()
            case (let field?, 1) where field.hasPrefix("."):
                let value = try quoted(value(field), field)
                if branches.allSatisfy(\.isWritten) { output += value }
            default: throw unsupported(action.joined(separator: " "))
            }
        }
        guard branches.isEmpty else { throw unsupported("{{if}} without {{end}}") }
        return output + rest
    }

    /// A value as the server reads it back: `#` begins a comment anywhere, a backslash an escape.
    private func quoted(_ value: String, _ field: String) throws(MysqldError) -> String {
        guard
            value.contains(where: { "#\\'\"".contains($0) }) || value.first == " " || value.last == " "
                || value.contains(where: \.isNewline)
        else { return value }
        let quotes: [Character] = ["\"", "'"]
        guard !value.contains(where: \.isNewline), let quote = quotes.first(where: { !value.contains($0) }) else {
            throw MysqldError(
                .configuration,
                "my.cnf cannot hold \(field) = \(value.debugDescription); HINT: use a VTDATAROOT and --mysql-socket without line ends and without both kinds of quotes"
            )
        }
        return "\(quote)\(value.replacing("\\", with: "\\\\"))\(quote)"
    }

    private func value(_ field: String) throws(MysqldError) -> String {
        switch field {
        case ".ServerID": return String(serverID)
        case ".MysqlPort": return String(port)
        case ".DataDir": return directory.data.string
        case ".InnodbDataHomeDir": return directory.innodbData.string
        case ".InnodbLogGroupHomeDir": return directory.innodbLogs.string
        case ".SecureFilePriv", ".TmpDir": return directory.temporary.string
        case ".SocketFile": return socket.string
        case ".GeneralLogPath": return directory.generalLog.string
        case ".ErrorLogPath": return directory.errorLog.string
        case ".SlowLogPath": return directory.slowLog.string
        case ".RelayLogPath": return directory.relayLog.string
        case ".RelayLogIndexPath": return directory.relayLogIndex.string
        case ".RelayLogInfoPath": return directory.relayLogInfo.string
        case ".BinLogPath": return directory.binLog.string
        case ".MasterInfoFile": return directory.masterInfo.string
        case ".PidFile": return directory.pidFile.string
        case ".Path": return directory.configuration.string
        default: throw unsupported(field)
        }
    }

    private func unsupported(_ text: String) -> MysqldError {
        MysqldError(.configuration, "my.cnf template: \"\(text)\" is not supported; fields and if/else/end are")
    }
}
