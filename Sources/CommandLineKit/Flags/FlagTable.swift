package import ArgumentParser
import FoundationEssentials

/// One flag, read back from its declaration.
package struct FlagSpecification: Hashable, Sendable {
    package var name: String
    /// Word for its type in the help: `int`, `uint`, `bool`, `duration`, `string`, `strings`, or a name of its own.
    package var type: String
    package var help: String
    /// As its type prints; `nil` without a default.
    package var defaultValue: String?
    package var isList: Bool
}

/// All flags of a program, taken from its option groups: they are declared there and nowhere else.
package struct FlagTable: Sendable {
    package let flags: [String: FlagSpecification]

    private static let ofTheParser: Set<String> = ["help", "version"]

    /// Reads the declarations of `command`.
    package init<Command: ParsableArguments>(_ command: Command.Type) {
        guard let dump = try? JSONDecoder().decode(HelpDump.self, from: Data(command._dumpHelp().utf8)) else {
            preconditionFailure("the option groups of \(command) cannot be read back")
        }
        var flags: [String: FlagSpecification] = [:]
        for argument in dump.command.arguments ?? [] {
            guard let name = argument.preferredName?.name, !Self.ofTheParser.contains(name) else { continue }
            // What the parser calls a flag takes no value, as every flag of Vitess's may: it would be known to nobody.
            precondition(argument.kind == "option", "--\(name) is declared as a \(argument.kind), not as an option")
            flags[name] = FlagSpecification(
                name: name,
                type: argument.valueName ?? "string",
                help: argument.abstract ?? "",
                defaultValue: argument.defaultValue,
                isList: argument.isRepeating
            )
        }
        self.flags = flags
    }
}

/// The part of the parser's own description of a command that is needed here.
private struct HelpDump: Decodable {
    struct Command: Decodable { var arguments: [Argument]? }
    struct Argument: Decodable {
        struct Name: Decodable { var name: String }
        var preferredName: Name?
        var kind: String
        var valueName: String?
        var defaultValue: String?
        var abstract: String?
        var isRepeating: Bool
    }

    var command: Command
}
