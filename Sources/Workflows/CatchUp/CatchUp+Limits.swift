extension CatchUp {
    /// How long what is tolerated.
    struct Limits: Sendable {
        /// Nothing moves, whatever the reason.
        var noProgress = Duration.seconds(600)
        /// The primary does not tell its position.
        var primaryUnreachable = Duration.seconds(1800)
        /// Nothing moves, and the disk is full: mysqld waits for somebody to free some space.
        var fullDisk = Duration.seconds(30)
        /// One reading of the status.
        var status = Duration.seconds(20)
        /// Pointing at a source and starting.
        var statements = Duration.seconds(180)
        /// The applier has temporary tables open.
        var temporaryTables = Duration.seconds(600)
        /// Between two looks at who is the primary.
        var topologyInterval = Duration.seconds(5)
        /// Between two starts of a receiver that the primary refuses.
        var refusedInterval = Duration.seconds(10)
        /// The applier stops, is started, and stops again without having done anything.
        var applierRestarts = 5
        /// Another primary is named, and again, without anything being applied.
        var failovers = 5
    }
}
