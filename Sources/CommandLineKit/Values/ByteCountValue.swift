import ArgumentParser

/// A flag that counts bytes: a whole number, alone or with `KiB`, `MiB`, `GiB` (powers of 1024; `K`, `M`, `G` too).
package struct ByteCountValue: ExpressibleByArgument, Hashable, Sendable {
    package var bytes: Int

    private static let units: [(name: String, shift: Int)] = [("KiB", 10), ("MiB", 20), ("GiB", 30)]

    /// A number of MiB.
    package static func mebibytes(_ count: Int) -> ByteCountValue { ByteCountValue(bytes: count << 20) }

    /// Creates a value.
    package init(bytes: Int) {
        self.bytes = bytes
    }

    package init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let unit = argument.dropFirst(digits.count)
        guard let number = Int(digits) else { return nil }
        let shift = unit.isEmpty ? 0 : Self.units.first { unit == $0.name || unit == $0.name.prefix(1) }?.shift
        guard let shift, number <= Int.max >> shift else { return nil }
        bytes = number << shift
    }

    package var defaultValueDescription: String { description }
}

extension ByteCountValue: CustomStringConvertible {
    /// In the largest unit that leaves a whole number.
    package var description: String {
        for (name, shift) in Self.units.reversed() where bytes > 0 && bytes & ((1 << shift) - 1) == 0 {
            return "\(bytes >> shift)\(name)"
        }
        return String(bytes)
    }
}
