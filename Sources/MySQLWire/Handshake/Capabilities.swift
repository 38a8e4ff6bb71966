/// Capability bits of client and server.
struct Capabilities: OptionSet, Hashable {
    let rawValue: UInt32

    static let longPassword = Capabilities(rawValue: 1 << 0)
    static let longFlag = Capabilities(rawValue: 1 << 2)
    static let connectWithDatabase = Capabilities(rawValue: 1 << 3)
    static let protocol41 = Capabilities(rawValue: 1 << 9)
    static let tls = Capabilities(rawValue: 1 << 11)
    static let transactions = Capabilities(rawValue: 1 << 13)
    static let secureConnection = Capabilities(rawValue: 1 << 15)
    static let multiStatements = Capabilities(rawValue: 1 << 16)
    static let multiResults = Capabilities(rawValue: 1 << 17)
    static let pluginAuthentication = Capabilities(rawValue: 1 << 19)
    static let lengthEncodedAuthentication = Capabilities(rawValue: 1 << 21)
    static let deprecateEOF = Capabilities(rawValue: 1 << 24)

    /// What we ask for whenever the server has it.
    static let wanted: Capabilities = [
        .longPassword, .longFlag, .protocol41, .transactions, .secureConnection, .multiStatements, .multiResults,
        .pluginAuthentication, .lengthEncodedAuthentication, .deprecateEOF,
    ]
}
