// One decoder of outside input under libFuzzer; `VTB_FUZZ_TARGET` names it. `Scripts/fuzz` is the way in.

import Glibc
import NIOCore
import WireProtos

@testable import Catalog
@testable import Compression
@testable import InnoDB
@testable import MySQLWire
@testable import Positions
@testable import Topology
@testable import Workflows

/// What is fed, and what must hold of the answer.
private let targets: [String: @Sendable (UnsafeRawBufferPointer) throws -> Void] = [
    "gtid": { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let half = bytes.count / 2
        if let set = try? GTIDSet(text) {
            check(try GTIDSet(set.description) == set, "a GTID set reads what it writes")
            check(set.contains(set) && set.subtracting(set).isEmpty && set.union(set) == set, "set operations")
            // The block has no place for tags.
            if let block = try? set.sidBlock() {
                check(try GTIDSet(sidBlock: block) == set, "a SID block reads what it writes")
            }
        }
        if let one = try? GTIDSet(String(decoding: bytes[..<half], as: UTF8.self)),
            let other = try? GTIDSet(String(decoding: bytes[half...], as: UTF8.self))
        {
            let both = one.union(other)
            check(both.contains(one) && both.contains(other), "a union contains its parts")
            check(both.subtracting(other).union(other) == both, "what is taken away can be put back")
        }
        _ = try? Position.decode(text)
        _ = try? MariaDBPosition(text)
        _ = try? FilePosition(text)
        _ = try? GTIDSet(sidBlock: Array(bytes))
    },
    "manifest": { bytes in
        guard let manifest = try? Manifest(decoding: Array(bytes)) else { return }
        let again = try Manifest(decoding: manifest.encoded())
        check(again.encoded() == manifest.encoded(), "a manifest reads what it writes")
    },
    "gzip": { bytes in
        _ = try? GzipMember(header: bytes)
        if let scan = ForeignGzipScan(first: bytes), let end = scan.end(ofMemberIn: bytes, from: 0) {
            _ = ForeignGzipScan.contentLength(ofMember: bytes, length: end)
        }
        try stream(bytes, through: GzipDecoder())
    },
    "zstd": { bytes in
        if let frame = try? ZstdFrame(header: bytes) {
            _ = frame.extent(of: bytes)
            if let length = frame.contentLength, length <= 1 << 20 {
                let content = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 16)
                defer { content.deallocate() }
                try? ZstdDecoder().decode(bytes, into: content)
            }
        }
        try stream(bytes, through: ZstdDecoder(maximumWindow: 8 << 20))
    },
    "lz4": { bytes in
        if let frame = try? LZ4FrameHeader(bytes) {
            var rest = ByteBuffer(bytes: bytes)
            _ = try? LZ4Block.next(in: frame, from: &rest)
        }
        try stream(bytes, through: LZ4Decoder())
    },
    "packet": { bytes in
        _ = try? ServerGreeting(ByteBuffer(bytes: bytes))
        var decoder = PacketDecoder(limit: 1 << 20)
        var query = QueryStateMachine(capabilities: [.protocol41, .deprecateEOF])
        var old = QueryStateMachine(capabilities: [.protocol41])
        for start in stride(from: 0, to: bytes.count, by: 7) {
            decoder.feed(ByteBuffer(bytes: bytes[start..<min(start + 7, bytes.count)]))
            while let packet = try? decoder.next() {
                _ = try? query.received(packet.payload)
                _ = try? old.received(packet.payload)
            }
        }
    },
    "topology": { bytes in
        let record = Array(bytes)
        for coding in [RecordCoding.json, .binary] {
            _ = (try? coding.decode(Topodata_Shard.self, record, "Shard", .global)).map(ShardRecord.init)
            _ = (try? coding.decode(Topodata_Tablet.self, record, "Tablet", .global)).map(TabletRecord.init)
            _ = try? coding.decode(Topodata_ShardReplication.self, record, "ShardReplication", .global)
        }
    },
    "notes": { bytes in
        if let lease = LeaseRecord(Array(bytes)) { _ = try lease.encoded() }
        if let record = VerificationRecord(Array(bytes)) { _ = try record.encoded() }
    },
    "page": { bytes in
        guard let format = TablespaceFormat(firstPage: bytes), bytes.count >= format.pageSize else { return }
        _ = PageVerdict(UnsafeRawBufferPointer(rebasing: bytes[..<format.pageSize]), number: 0, format: format)
    },
]

/// Decodes in pieces; stops at what a bomb would make.
private func stream(_ bytes: UnsafeRawBufferPointer, through decoder: any StreamDecoder) throws {
    struct Enough: Error {}
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)
    defer { scratch.deallocate() }
    var total = 0
    do {
        for start in stride(from: 0, to: bytes.count, by: 4096) {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 4096, bytes.count)])
            try decoder.decode(next: piece, scratch: scratch) { content in
                total += content.count
                if total > 4 << 20 { throw Enough() }
            }
        }
        try decoder.endStream()
    } catch is CompressionError {
    } catch is Enough {}
}

private func check(_ isTrue: Bool, _ promise: String) {
    if !isTrue { fatalError("broken promise: \(promise)") }
}

private let target: @Sendable (UnsafeRawBufferPointer) throws -> Void = {
    let name = getenv("VTB_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        fatalError("VTB_FUZZ_TARGET must be one of \(targets.keys.sorted().joined(separator: ", "))")
    }
    return target
}()

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start else { return 0 }
    do {
        try target(UnsafeRawBufferPointer(start: start, count: count))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
