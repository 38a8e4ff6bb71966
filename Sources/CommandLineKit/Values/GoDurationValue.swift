import ArgumentParser
import Vocabulary

/// A duration flag.
package struct GoDurationValue: ExpressibleByArgument, Hashable, Sendable {
    package var nanoseconds: Int64

    /// A number of whole seconds.
    package static func seconds(_ seconds: Int64) -> GoDurationValue {
        GoDurationValue(nanoseconds: seconds * 1_000_000_000)
    }

    /// Creates a value.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package init?(argument: String) {
        guard let nanoseconds = try? GoDuration.parse(argument) else { return nil }
        self.nanoseconds = nanoseconds
    }

    package var defaultValueDescription: String { GoDuration.text(nanoseconds: nanoseconds) }

    /// As the standard library's type.
    package var duration: Duration { .nanoseconds(nanoseconds) }

    /// In seconds.
    package var seconds: Double { Double(nanoseconds) / 1e9 }
}
