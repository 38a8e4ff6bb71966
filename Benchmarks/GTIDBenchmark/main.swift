// Work on GTID sets for `Scripts/bench`: `print N` writes a set of N intervals, `time N` measures, in seconds, parsing
// it and one that is a little larger, and asking whether the second contains the first: what GTID_SUBSET does.

import Positions

func text(_ intervals: Int) -> String {
    "0d7aaca6-1666-11ee-aeaf-0a43f95f28a3" + (0..<intervals).map { ":\(1 + $0 * 1000)-\(500 + $0 * 1000)" }.joined()
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let count = Int(arguments[2]) else { fatalError("usage: gtid-benchmark print|time N") }
let small = text(count)
if arguments[1] == "print" {
    print(small)
} else {
    let large = small + ",3e11fa47-71ca-11e1-9e33-c80aa9429562:1"
    let elapsed = try ContinuousClock().measure {
        guard try GTIDSet(large).contains(GTIDSet(small)) else { fatalError("wrong answer") }
    }
    print(elapsed / .seconds(1))
}
