import FoundationEssentials

/// The environment of the process, read once.
enum Environment {
    static var variables: [String: String] { ProcessInfo.processInfo.environment }
}
