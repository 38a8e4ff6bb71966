extension Duration {
    /// Longer than anything takes that works, also while other tests keep the machine busy: who needs more hangs.
    ///
    /// Tests that show that something ends by itself compare with this, and with no tighter clock.
    package static let onlyAHang = Duration.seconds(600)
}
