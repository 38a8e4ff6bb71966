import Concurrency
import Host
import Subprocess
package import SystemPackage

/// Programs of the operator that take part in controlling mysqld: `$VTROOT/vthook/<name>`.
package struct Hooks: Sendable {
    private let folder: FilePath
    private let limit: Duration

    /// Uses the hooks in `<root>/vthook`.
    ///
    /// - Parameters:
    ///   - root: `VTROOT`.
    ///   - limit: how long each may run.
    package init(root: FilePath, limit: Duration) {
        folder = root.appending("vthook")
        self.limit = limit
    }

    /// `VTROOT`, else the folder above a program in `…/bin`, else `/usr/local/vitess`.
    package static func root(environment: [String: String], program: FilePath) -> FilePath {
        if let root = environment["VTROOT"], !root.isEmpty { return FilePath(root) }
        let folder = program.removingLastComponent()
        if program.isAbsolute, folder.lastComponent == "bin" { return folder.removingLastComponent() }
        return "/usr/local/vitess"
    }

    /// What a hook printed, when it exists and succeeded.
    package struct Output: Sendable {
        package var standardOutput: String
    }

    /// Runs a hook.
    /// - Returns: its output, or `nil` when there is no such hook.
    /// - Throws: ``MysqldError`` with code `hook` when it fails, also when a signal ended it.
    package func run(
        _ name: String,
        arguments: [String] = [],
        environment extra: [String: String] = [:]
    ) async throws -> Output? {
        let path = folder.appending(name)
        guard try FileTree.status(path)?.kind == .regular else { return nil }
        var variables: [Environment.Key: String?] = [:]
        for (key, value) in extra { variables[Environment.Key(stringLiteral: key)] = value }
        let finalVariables = variables
        let result = try await bounded(name) {
            try await Subprocess.run(
                .path(path),
                arguments: Arguments(arguments),
                environment: .inherit.updating(finalVariables),
                output: .string(limit: 4 << 20),
                error: .string(limit: 1 << 20)
            )
        }
        switch result.terminationStatus {
        case .exited(0): return Output(standardOutput: result.standardOutput)
        case .exited(let code):
            throw MysqldError(.hook, "\(name) hook failed(\(code)): \(result.standardError)")
        case .signaled(let signal):
            throw MysqldError(.hook, "\(name) hook was ended by signal \(signal): \(result.standardError)")
        }
    }

    private func bounded<Result: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        do {
            return try await withDeadline(limit, operation: "hook \(name)", body)
        } catch let error as DeadlineExceeded {
            throw MysqldError(.hook, "\(error) after \(limit); it was killed")
        }
    }
}
