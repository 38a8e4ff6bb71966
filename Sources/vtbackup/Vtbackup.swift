import ArgumentParser
import CommandLineKit
import Glibc
import Host
import Logging
import MySQLControl
import Observability
import ServerAssembly
import SystemPackage

/// The program: arguments in, exit status out.
///
/// 0 is success or nothing to do, 1 any failure, 128 + n a second signal.
@main
enum Vtbackup {
    private static let table = FlagTable(VtbackupOptions.self)
    private static let help = HelpText(program: "vtbackup", introduction: VtbackupHelp.introduction, table: table)

    static func main() async {
        Launcher.runIfCalled(CommandLine.arguments)
        Heap.share(cores: Processors.available)
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            let normalized = try ArgumentNormalizer(table: table, program: "vtbackup").normalize(arguments)
            for notice in normalized.notices { standardError(notice + "\n") }
            if normalized.help { return standardOutput(help.text) }
            if normalized.version { return standardOutput(VtbackupVersion.line + "\n") }
            let options = try parse(normalized.tokens)
            exit(await run(options, given: normalized.given, arguments: arguments))
        } catch {
            for notice in error.notices { standardError(notice + "\n") }
            standardError("\(ErrorText.line(error))\(help.usage)\n")
            LogSink(LogSink.Configuration()).write(.error, "\(error)", file: #fileID, line: #line)
            exit(1)
        }
    }

    private static func parse(_ tokens: [String]) throws(UsageError) -> VtbackupOptions {
        do {
            return try VtbackupOptions.parse(tokens)
        } catch {
            throw UsageError(VtbackupOptions.message(for: error))
        }
    }

    private static func run(_ options: VtbackupOptions, given: Set<String>, arguments: [String]) async -> Int32 {
        let sink = LogSink(options.log.configuration)
        let logger = Logger(label: "vtbackup") { _ in GlogHandler(sink: sink) }
        do {
            if options.policy.detach {
                standardOutput("[PID] \(try Detachment.start(arguments: arguments))\n")
                return 0
            }
            if options.policy.minRetentionCount < 1 {
                logger.error("min_retention_count must be at least 1 to allow restores to succeed")
                return 1
            }
            logger.info("\(VtbackupVersion.line)")
            try await VtbackupAssembly(
                options: options,
                given: given,
                environment: Environment.variables,
                program: FilePath(CommandLine.arguments.first ?? ""),
                sink: sink,
                logger: logger
            ).run(print: standardOutput)
            logger.info("Exiting.")
            return 0
        } catch {
            if options.action.json {
                standardOutput(ErrorDocument.json(error))
            }
            standardError(ErrorText.line(error))
            logger.error("\(error)")
            return 1
        }
    }

    private static func standardOutput(_ text: String) { write(text, to: .standardOutput) }
    private static func standardError(_ text: String) { write(text, to: .standardError) }

    private static func write(_ text: String, to stream: FileDescriptor) {
        // With nowhere to write to there is nobody to tell.
        _ = try? stream.writeAll(text.utf8)
    }
}
