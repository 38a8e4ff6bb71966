import ArgumentParser
package import CommandLineKit

/// The private mysqld of a pass (command-line specification 3.2, database users of 3.4).
package struct MysqldOptions: ParsableArguments {
    @Option(help: ArgumentHelp("TCP port of the private mysqld.", valueName: "int"))
    package var mysqlPort = 3306

    @Option(
        help: ArgumentHelp(
            "Socket of the private mysqld; by default mysql.sock in the tablet folder.",
            valueName: "string"
        )
    )
    package var mysqlSocket = ""

    @Option(help: ArgumentHelp("Time limit for initialising and for starting mysqld.", valueName: "duration"))
    package var mysqlTimeout = GoDurationValue.seconds(300)

    @Option(help: ArgumentHelp("Time limit for a clean shutdown of mysqld.", valueName: "duration"))
    package var mysqlShutdownTimeout = GoDurationValue.seconds(300)

    @Option(
        help: ArgumentHelp("Accepted for compatibility: the version is asked of mysqld itself.", valueName: "string")
    )
    package var mysqlServerVersion = "8.4.6-Vitess"

    @Option(help: ArgumentHelp("User who administers the private mysqld.", valueName: "string"))
    package var dbDbaUser = "vt_dba"

    @Option(help: ArgumentHelp("Password of that user.", valueName: "string"))
    package var dbDbaPassword = ""

    @Option(help: ArgumentHelp("User who replicates from the primary.", valueName: "string"))
    package var dbReplUser = "vt_repl"

    @Option(help: ArgumentHelp("Password of that user.", valueName: "string"))
    package var dbReplPassword = ""

    @Option(
        help: ArgumentHelp(
            "As root, run mysqld as root too, instead of as the owner of VTDATAROOT or as user mysql.",
            valueName: "bool"
        )
    )
    package var allowRoot = false

    /// Creates the group.
    package init() {}
}
