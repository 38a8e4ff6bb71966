package import FoundationEssentials
import Vocabulary

/// What a lock says of its holder: the JSON that Vitess's tools write and show.
package struct LockRecord: Hashable, Sendable {
    /// What the lock is held for.
    package var action: String
    package var host: String
    package var user: String
    package var time: Date

    /// Describes a holder.
    package init(action: String, host: String, user: String, time: Date) {
        (self.action, self.host, self.user, self.time) = (action, host, user, time)
    }

    /// The document: the keys in Vitess's order, indented by two spaces.
    package var encoded: [UInt8] {
        var writer = GoJSONWriter()
        writer.object { writer in
            writer.field("Action", action)
            writer.field("HostName", host.isEmpty ? "unknown" : host)
            writer.field("UserName", user.isEmpty ? "unknown" : user)
            writer.field("Time", BackupTimestamp.rfc3339(time))
            writer.key("Options")
            writer.object { _ in }
            writer.field("Status", "Running")
        }
        return writer.bytes
    }

    /// Says who holds a lock, for a message; whatever the document is.
    package static func holder(in bytes: [UInt8]) -> String {
        struct Document: Decodable {
            var action: String?
            var host: String?
            var user: String?
            var time: String?

            enum CodingKeys: String, CodingKey {
                case action = "Action"
                case host = "HostName"
                case user = "UserName"
                case time = "Time"
            }
        }
        guard let found = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else { return "somebody" }
        return
            "\(found.user ?? "unknown") on \(found.host ?? "unknown") (\(found.action ?? "unknown")) since \(found.time ?? "unknown")"
    }
}
