import FoundationEssentials
import Host
import MySQLControl
package import Subprocess
package import SystemPackage
import Testing

/// How a run of one of our programs ended.
package struct ProgramRun: Sendable {
    package var status: TerminationStatus
    package var standardOutput: String
    package var standardError: String

    /// Exit code 0.
    package var succeeded: Bool { status.isSuccess }

    /// The exit code; `nil` when a signal ended it.
    package var exitCode: Int32? {
        if case .exited(let code) = status { Int32(code) } else { nil }
    }
}

/// Programs that the package builds, and scripts that it holds.
package enum Programs {
    /// The root of the checkout.
    package static var root: FilePath {
        var path = FilePath(#filePath)
        for _ in 0..<4 { path.removeLastComponent() }
        return path
    }

    /// A program, from the build that the tests belong to.
    package static func path(_ name: String) -> FilePath {
        let folder = ProcessInfo.processInfo.environment["VTB_PROGRAMS"].map { FilePath($0) }
        return (folder ?? root.appending(".build").appending("debug")).appending(name)
    }

    /// Runs a program to its end.
    package static func run(
        _ program: FilePath,
        _ arguments: [String],
        environment: [String: String] = [:],
        started: @Sendable (Int32) async throws -> Void = { _ in }
    ) async throws -> ProgramRun {
        var variables: [Environment.Key: String?] = ["SWIFT_BACKTRACE": "enable=no"]
        for (key, value) in environment { variables[Environment.Key(stringLiteral: key)] = value }
        let result = try await Subprocess.run(
            .path(program),
            arguments: Arguments(arguments),
            environment: .inherit.updating(variables),
            input: .none,
            output: .string(limit: 16 << 20),
            error: .string(limit: 64 << 20)
        ) { execution in
            try await started(execution.processIdentifier.value)
        }
        return ProgramRun(
            status: result.terminationStatus,
            standardOutput: result.standardOutput,
            standardError: result.standardError
        )
    }

    /// Runs a program to its end and asks the kernel for the most memory that it had at once.
    ///
    /// By way of a process between, since `/proc` forgets a process when it ends, and it may end before we look.
    /// - Returns: the run, and bytes: `ru_maxrss`.
    package static func runMeasured(_ program: FilePath, _ arguments: [String]) async throws -> (ProgramRun, peak: Int)
    {
        try await withTemporaryFolder { folder in
            let file = folder.appending("peak")
            let script = """
                import resource, subprocess, sys
                code = subprocess.run(sys.argv[2:]).returncode
                with open(sys.argv[1], "w") as file:
                    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
                sys.exit(code if code >= 0 else 128 - code)
                """
            let run = try await run(
                "/usr/bin/env",
                ["python3", "-c", script, file.string, program.string] + arguments
            )
            let kibibytes = String(decoding: try FileTree.read(file, limit: 64) ?? [], as: UTF8.self)
            return (run, try #require(Int(kibibytes), "nothing was measured: \(run.standardError)") << 10)
        }
    }

    /// A command that is run as an ordinary user also when we are root.
    package static func asOrdinaryUser(_ program: FilePath, _ arguments: [String]) -> (FilePath, [String]) {
        guard let owner = TestServers.user.fileOwner else { return (program, arguments) }
        return (
            "/usr/bin/setpriv",
            ["--reuid=\(owner.user)", "--regid=\(owner.group)", "--clear-groups", program.string] + arguments
        )
    }

    /// Whether a process runs; a zombie is dead, and its parent has not looked yet.
    package static func isAlive(_ process: Int32) -> Bool {
        let status = (try? FileTree.read(FilePath("/proc/\(process)/stat"), limit: 4096)) ?? nil
        return status.map { !String(decoding: $0, as: UTF8.self).contains(") Z ") } ?? false
    }
}
