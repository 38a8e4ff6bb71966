import Testing

@testable import Positions

@Suite("GTID sets: text")
struct GTIDSetTextTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var input: String
        var printed: String
        var why: String
        var testDescription: String { why }

        init(_ input: String, _ printed: String, _ why: String) {
            (self.input, self.printed, self.why) = (Sample.text(input), Sample.text(printed), why)
        }
    }

    @Test(
        "What is read is printed in canonical form",
        arguments: [
            Case("", "", "nothing"),
            Case("U:1-615", "U:1-615", "one interval"),
            Case("U:7", "U:7", "one transaction"),
            Case("U:7-7", "U:7", "an interval of one transaction"),
            Case("U:8-7", "", "an interval that ends before it starts is dropped"),
            Case("U:8-7:1", "U:1", "only that interval is dropped"),
            Case("U:", "", "a server without transactions is dropped"),
            Case("U:,V:3", "V:3", "and does not disturb the next one"),
            Case("U:10-20:1-5", "U:1-5:10-20", "intervals are sorted"),
            Case("U:1-5,U:10-20", "U:1-5:10-20", "a repeated server continues"),
            Case("U:10-20,U:", "U:10-20", "a repeated server without transactions adds nothing"),
            Case("U:1-5:6-10", "U:1-10", "adjacent intervals are joined, unlike in Vitess"),
            Case("U:1-5:3-4:2-9", "U:1-9", "overlapping intervals are joined"),
            Case("U:5:1:3", "U:1:3:5", "single transactions stay apart"),
            Case("V:1,U:1,U0:1", "U0:1,U:1,V:1", "servers are in byte order"),
            Case(",,U:1,,V:2,", "U:1,V:2", "empty elements are skipped"),
            Case(" U:1-2 ,\n V:3 \r\n", "U:1-2,V:3", "white space around elements, as servers print it"),
            Case("U : 1 - 2 :\t5", "U:1-2:5", "white space around the other separators"),
            Case("U:9223372036854775806", "U:9223372036854775806", "the highest transaction number"),
            Case("U:007", "U:7", "leading zeros"),
        ]
    )
    func canonical(_ sample: Case) throws {
        let set = try GTIDSet(sample.input)
        #expect(set.description == sample.printed)
        #expect(try GTIDSet(set.description) == set)
        #expect(set.isEmpty == sample.printed.isEmpty)
    }

    @Test("Upper-case servers are the same servers")
    func upperCase() throws {
        #expect(try GTIDSet(Sample.u.uppercased() + ":1") == GTIDSet(Sample.u + ":1"))
    }

    @Test(
        "Tags: untagged intervals first, then each tag in byte order with its intervals",
        arguments: [
            Case("U:1:aa:1-2:zz:1", "U:1:aa:1-2:zz:1", "as MySQL 9.7 prints it"),
            Case("U:zz:1:aa:2:1", "U:aa:1-2:zz:1", "intervals after a tag belong to it until the next tag"),
            Case("U:b:1,U:5", "U:5:b:1", "an untagged interval comes with the server repeated"),
            Case("U:a:1:b:1:a:2", "U:a:1-2:b:1", "a repeated tag merges"),
            Case("U:a:1,U:a:2-3", "U:a:1-3", "over repeated servers too"),
            Case("U:TAG_1:4", "U:tag_1:4", "tags are stored in lower case"),
            Case("U:_:1:_9:1", "U:_:1:_9:1", "an underscore opens a tag"),
            Case("U:b:1,V:a:1", "U:b:1,V:a:1", "servers order before tags"),
            Case("U:a:5-1", "", "a tag without transactions is dropped"),
            Case("U: a : 1 - 2 ", "U:a:1-2", "white space around tags"),
            Case("U:t2345678901234567890123456789012:1", "U:t2345678901234567890123456789012:1", "32 characters"),
        ]
    )
    func tags(_ sample: Case) throws {
        try canonical(sample)
    }
}
