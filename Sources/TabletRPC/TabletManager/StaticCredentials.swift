import FoundationEssentials
import GRPCCore
import Host
import Synchronization
package import SystemPackage
import Workflows

/// User and password that are sent with every call, from a file that may be replaced at any time.
package final class StaticCredentials: Sendable {
    private struct Pair: Decodable {
        var username: String
        var password: String

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }

            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        /// Keys are matched in any case.
        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            func text(_ name: String) throws -> String {
                guard let key = fields.allKeys.first(where: { $0.stringValue.lowercased() == name }) else { return "" }
                return try fields.decode(String.self, forKey: key)
            }
            (username, password) = (try text("username"), try text("password"))
        }
    }

    private static let largestFile = 1 << 16
    private let path: FilePath
    private let last: Mutex<Pair>

    /// Reads the file: a JSON object with `Username` and `Password`.
    /// - Throws: ``WorkflowError`` that names the file, and nothing of what is in it.
    package init(path: FilePath) throws {
        self.path = path
        last = Mutex(try Self.read(path))
    }

    /// The headers, from the file as it is now; while it cannot be read, as it was.
    func metadata() throws -> Metadata {
        let pair = last.withLock { last in
            if let new = try? Self.read(path) { last = new }
            return last
        }
        return ["username": .string(pair.username), "password": .string(pair.password)]
    }

    private static func read(_ path: FilePath) throws -> Pair {
        do {
            guard let bytes = try FileTree.read(path, limit: largestFile) else {
                throw FileError("open", path, .noSuchFileOrDirectory)
            }
            return try JSONDecoder().decode(Pair.self, from: Data(bytes))
        } catch {
            // What does not decode may hold the password.
            let why = (error as? FileError).map { "\($0)" } ?? "it is no JSON object with Username and Password"
            throw WorkflowError(
                .refused,
                "There was an error initializing client grpc.DialOption: \(path): \(why); HINT: see --grpc-auth-static-client-creds"
            )
        }
    }
}
