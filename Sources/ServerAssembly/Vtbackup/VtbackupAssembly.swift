import CommandLineKit
package import Logging
package import Observability
import Processes
package import SystemPackage
import Vocabulary
import Workflows

/// Puts a `vtbackup` together from its flags, and runs what they ask for.
package struct VtbackupAssembly: Sendable {
    private let options: VtbackupOptions
    private let given: Set<String>
    private let environment: [String: String]
    private let program: FilePath
    private let sink: LogSink
    private let logger: Logger

    /// Takes what the command line and the environment say.
    ///
    /// Nothing below reads either.
    /// - Parameters:
    ///   - options: the flags.
    ///   - given: names of the flags that were given.
    ///   - environment: the process's environment.
    ///   - program: absolute path of this program, where it is known.
    ///   - sink: where the log goes.
    ///   - logger: writes to `sink`.
    package init(
        options: VtbackupOptions,
        given: Set<String>,
        environment: [String: String],
        program: FilePath,
        sink: LogSink,
        logger: Logger
    ) {
        (self.options, self.given, self.environment) = (options, given, environment)
        (self.program, self.sink, self.logger) = (program, sink, logger)
    }

    /// Runs the action, or the pass.
    /// - Parameter print: takes results for stdout.
    /// - Throws: any error of the layers below; `UsageError` for flags that cannot be used.
    package func run(print: @escaping @Sendable (String) -> Void) async throws {
        try options.validate(given: given)
        let shard = try options.shardPath()
        let sizing = try Sizing.ofThisMachine(options.engine, concurrency: options.policy.concurrency, given: given)
        for warning in options.warnings(given: given) + sizing.warnings { logger.warning("\(warning)") }
        Descendants.adoptOrphans()
        try await withInterruption(grace: options.action.shutdownGrace.duration, logger: logger) {
            try await CopyingParts.with(
                engine: options.engine,
                storage: options.storage,
                sizing: sizing,
                given: given,
                logger: logger
            ) { parts in
                try await run(shard, parts, print)
            }
        }
    }

    private func run(
        _ shard: ShardPath,
        _ parts: CopyingParts,
        _ print: @escaping @Sendable (String) -> Void
    ) async throws {
        let actions = VtbackupActions(
            options: options,
            backups: ShardBackups(shard: shard, storage: parts.storage),
            parts: parts,
            sink: sink,
            logger: logger,
            print: print
        )
        if options.action.listBackups {
            try await actions.list()
        } else if options.action.pruneDryRun {
            try await actions.showPruning()
        } else if !options.action.restoreTo.isEmpty {
            try await actions.restore()
        } else {
            let mysqld = MysqldParts(
                options: options.mysqld,
                stopLimit: options.engine.builtinbackupMysqldTimeout.duration,
                environment: environment,
                program: program,
                logger: logger
            )
            let pass = PassAssembly(
                options: options,
                shard: shard,
                parts: parts,
                mysqld: mysqld,
                sink: sink,
                logger: logger
            )
            try await pass.run()
        }
    }
}
