import Glibc
import Vocabulary

/// One line of the glog format: `Lmmdd hh:mm:ss.uuuuuu PPPPPPP file.go:LINE] message`.
enum GlogLine {
    /// A moment of local time.
    struct Moment {
        let seconds: Int
        let microseconds: Int

        static var now: Moment {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Moment(seconds: time.tv_sec, microseconds: time.tv_nsec / 1000)
        }

        var local: tm {
            var seconds = seconds
            var fields = tm()
            localtime_r(&seconds, &fields)
            return fields
        }
    }

    private static let longestLine = 15_000

    static func text(_ severity: LogSeverity, _ message: String, file: String, line: UInt, at moment: Moment) -> String
    {
        let t = moment.local
        let name = file.split(separator: "/").last.map(String.init) ?? file
        let time =
            "\(padded(Int(t.tm_mon) + 1, 2))\(padded(Int(t.tm_mday), 2)) \(padded(Int(t.tm_hour), 2)):\(padded(Int(t.tm_min), 2)):\(padded(Int(t.tm_sec), 2))"
        let process = String(getpid())
        let head =
            "\(severity.letter)\(time).\(padded(moment.microseconds, 6)) "
            + String(repeating: " ", count: max(0, 7 - process.count)) + "\(process) \(name):\(line)] "
        var text = head + PrintableText.block(message)
        if text.utf8.count > longestLine { text = String(decoding: text.utf8.prefix(longestLine), as: UTF8.self) }
        return text.hasSuffix("\n") ? text : text + "\n"
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// Severities of glog, in order.
package enum LogSeverity: Int, Sendable, CaseIterable, Comparable {
    case info, warning, error, fatal

    var letter: Character {
        switch self {
        case .info: "I"
        case .warning: "W"
        case .error: "E"
        case .fatal: "F"
        }
    }

    var name: String { "\(self)".uppercased() }

    package static func < (left: LogSeverity, right: LogSeverity) -> Bool { left.rawValue < right.rawValue }
}
