import Logging
import Vocabulary

/// How long one and the same refusal has lasted.
///
/// What no waiting heals may be a grant on its way, or a password that is being changed: it is tried again for a while, and
/// said meanwhile.
struct RefusalWatch {
    private let patience: Duration
    private var current: (key: String, since: Duration, told: Duration)?

    private static let reportInterval = Duration.seconds(60)

    /// Tolerates each refusal for `patience`.
    init(patience: Duration) {
        self.patience = patience
    }

    /// Takes a refusal, and says it in the log: at first, and each minute.
    /// - Parameters:
    ///   - text: what is refused, and what to do.
    ///   - key: tells it from other refusals; default: its text.
    ///   - now: when it came.
    ///   - logger: takes the lines.
    /// - Returns: whether it has lasted too long.
    mutating func note(_ text: String, as key: String? = nil, at now: Duration, _ logger: Logger) -> Bool {
        let key = key ?? text
        var refusal = (key: key, since: now, told: now)
        if let current, current.key == key { refusal = current }
        defer { current = refusal }
        let lasted = now - refusal.since
        if current?.key != key || now - refusal.told >= Self.reportInterval {
            refusal.told = now
            let rest = GoDuration.text(seconds: (max(patience - lasted, .zero) / .seconds(1)).rounded())
            logger.error("\(text); no waiting heals that, trying for another \(rest) in case somebody does")
        }
        return lasted >= patience
    }

    /// Something else came, or an answer.
    mutating func end() {
        current = nil
    }
}
