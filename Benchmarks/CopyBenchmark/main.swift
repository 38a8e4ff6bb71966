// The builtin engine alone, for `Scripts/bench`: what a pass does between the server's stop and the commit, and what a
// restore does before the server's start.
//
//   copy-benchmark backup TABLET STORAGE ENGINE LEVEL      TABLET is a stopped tablet's folder; ENGINE may be `none`
//   copy-benchmark restore TABLET STORAGE [durable]        into TABLET, which is made

import Catalog
import Compression
import Engines
import FoundationEssentials
import Logging
import MySQLControl
import NIOCore
import Storage
import Streams
import SystemPackage

let arguments = CommandLine.arguments
guard arguments.count >= 4 else { fatalError("usage: copy-benchmark backup|restore TABLET STORAGE ...") }
let tablet = TabletDirectory(path: FilePath(arguments[2]), uid: 1)
let shard = try ShardPath(keyspace: "bench", shard: "0")
let name = "2026-01-01.000000.bench-0000000001"
let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
let concurrency = 4
let isBackup = arguments[1] == "backup"
let engine = isBackup ? arguments[4] : ""
let codec: Codec = !isBackup || engine == "none" ? .identity : try Codec(engine: engine, level: Int(arguments[5]) ?? 1)

/// As `vtbackup` sizes it by default.
func dataPlane(_ threads: BlockingThreads) -> DataPlane {
    DataPlane(
        threads: threads,
        codec: codec,
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
        concurrency: concurrency,
        progressInterval: .seconds(5),
        logger: logger
    )
    var manifest = Manifest()
    var builtin = Manifest.Builtin()
    builtin.compressionEngine = engine
    builtin.skipCompress = codec == .identity
    builtin.files = try await copier.copyFiles(of: tablet, to: writer, meter: TransferMeter())
    manifest.builtin = builtin
    try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
}

func restore(_ plane: DataPlane, _ storage: FileStorage) async throws {
    let reader = try storage.backup(name, of: shard)
    let manifest = try Manifest(decoding: try await reader.read(.manifest, limit: Manifest.maximumSize))
    try tablet.create(owner: nil)
    let unpacker = BuiltinRestore(
        dataPlane: plane,
        concurrency: concurrency,
        owner: nil,
        durable: arguments.contains("durable"),
        decompressors: StoredFormat.ExternalDecompressors(),
        logger: logger
    )
    try await unpacker.restoreFiles(manifest, from: reader, to: tablet, meter: TransferMeter())
}

try await BlockingThreads.with(count: concurrency + 1) { fileThreads in
    try await BlockingThreads.with(count: ProcessInfo.processInfo.activeProcessorCount) { threads in
        let storage = FileStorage(root: FilePath(arguments[3]), threads: fileThreads)
        if isBackup {
            try await backUp(dataPlane(threads), storage)
        } else {
            try await restore(dataPlane(threads), storage)
        }
    }
}
