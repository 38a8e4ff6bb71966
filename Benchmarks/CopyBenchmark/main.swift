// The builtin engine alone, for `Scripts/bench`: what a pass does between the server's stop and the commit, and what a
// restore does before the server's start.
//
//   copy-benchmark backup TABLET STORAGE ENGINE LEVEL      TABLET is a stopped tablet's folder; ENGINE may be `none`
//   copy-benchmark restore TABLET STORAGE [durable]        into TABLET, which is made
//   copy-benchmark stop TABLET STORAGE ENGINE LEVEL        an object fails for good in mid-copy: prints the milliseconds
//                                                          from then until everything has stopped

import Catalog
import Compression
import Concurrency
import Engines
import FoundationEssentials
import Logging
import MySQLControl
import NIOCore
import Storage
import Synchronization
import SystemPackage
import Vocabulary

let arguments = CommandLine.arguments
guard arguments.count >= 4 else { fatalError("usage: copy-benchmark backup|restore TABLET STORAGE ...") }
let tablet = TabletDirectory(path: FilePath(arguments[2]), uid: 1)
let shard = try ShardPath(keyspace: "bench", shard: "0")
let name = "2026-01-01.000000.bench-0000000001"
let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
let concurrency = 4
let isBackup = arguments[1] != "restore"
let engine = isBackup ? arguments[4] : ""
let codec: Codec = !isBackup || engine == "none" ? .identity : try Codec(engine: engine, level: Int(arguments[5]) ?? 1)

/// As `vtbackup` sizes it by default.
func dataPlane(_ threads: BlockingThreads) -> DataPlane {
    DataPlane(
        threads: threads,
        codec: RecordedCodec(codec),
        blockSize: 250_000,
        blocksInFlight: nil,
        concurrency: concurrency,
        flightBudget: 96 << 20
    )
}

func backUp(_ plane: DataPlane, _ storage: FileStorage) async throws {
    let writer = try await storage.startBackup(name, of: shard)
    let copier = BuiltinBackup(
        dataPlane: plane,
        progressInterval: .seconds(5),
        checksPages: true,
        logger: logger
    )
    var manifest = Manifest()
    manifest.builtin = try await copier.copyFiles(of: StoppedServer(tablet), to: writer, meter: TransferMeter())
    try await writer.commit(manifest: manifest.commitRecord())
}

/// Lets one object fail after some writes, in both attempts, and remembers when.
final class FailingWriter: BackupWriter {
    struct Broken: Error {}

    let next: any BackupWriter
    let failed = Mutex<ContinuousClock.Instant?>(nil)
    /// The first object that gets so far.
    let victim = Mutex<ObjectName?>(nil)

    init(_ next: any BackupWriter) {
        self.next = next
    }

    var name: String { next.name }

    func put(_ object: ObjectName, sizeHint: Int64?, body: (any ObjectSink) async throws -> Void) async throws -> Int64
    {
        try await next.put(object, sizeHint: sizeHint) { sink in
            try await body(FailingSink(next: sink, object: object, writer: self))
        }
    }

    func commit(manifest: ByteBuffer) async throws { try await next.commit(manifest: manifest) }

    func abort() async throws { try await next.abort() }
}

final class FailingSink: ObjectSink {
    private let next: any ObjectSink
    private let object: ObjectName
    private let writer: FailingWriter
    private let writes = Atomic(0)

    init(next: any ObjectSink, object: ObjectName, writer: FailingWriter) {
        (self.next, self.object, self.writer) = (next, object, writer)
    }

    func write(_ bytes: ByteBuffer) async throws {
        if writes.add(1, ordering: .relaxed).newValue > 10 {
            let isVictim = writer.victim.withLock { victim in
                victim = victim ?? object
                return victim == object
            }
            if isVictim {
                writer.failed.withLock { $0 = .now }
                throw FailingWriter.Broken()
            }
        }
        try await next.write(bytes)
    }
}

func stop(_ plane: DataPlane, _ storage: FileStorage) async throws {
    let writer = FailingWriter(try await storage.startBackup(name, of: shard))
    let copier = BuiltinBackup(
        dataPlane: plane,
        progressInterval: .seconds(5),
        checksPages: true,
        logger: logger
    )
    do {
        _ = try await copier.copyFiles(of: StoppedServer(tablet), to: writer, meter: TransferMeter())
        fatalError("it should have failed")
    } catch {
        guard let failed = writer.failed.withLock({ $0 }) else { throw error }
        print((ContinuousClock.now - failed) / .milliseconds(1))
    }
}

func restore(_ plane: DataPlane, _ storage: FileStorage) async throws {
    let reader = try storage.backup(name, of: shard)
    let manifest = try Manifest(decoding: try await reader.read(.manifest, limit: Manifest.maximumSize))
    try tablet.create(owner: nil)
    let unpacker = BuiltinRestore(
        dataPlane: plane,
        owner: nil,
        durable: arguments.contains("durable"),
        decompressors: StoredFormat.ExternalDecompressors(),
        logger: logger
    )
    try await unpacker.restore(manifest, from: reader, to: tablet, meter: TransferMeter())
}

try await BlockingThreads.with(count: concurrency + 1) { fileThreads in
    try await BlockingThreads.with(count: ProcessInfo.processInfo.activeProcessorCount) { threads in
        let storage = FileStorage(root: FilePath(arguments[3]), threads: fileThreads)
        switch arguments[1] {
        case "backup": try await backUp(dataPlane(threads), storage)
        case "stop": try await stop(dataPlane(threads), storage)
        default: try await restore(dataPlane(threads), storage)
        }
    }
}
