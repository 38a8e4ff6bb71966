import Concurrency
import FoundationEssentials
package import GRPCDialing
import SwiftProtobuf
package import Topology
import WireProtos

/// The topology in etcd (version 3): the global records in one cluster, those of each cell where its record says.
///
/// Keys are the root as it is configured, with or without a leading slash, and the path behind it.
package struct EtcdTopology: TopologyStore {
    /// What the flags say.
    package struct Configuration: Sendable {
        package var address: String
        package var root: String
        /// Files for encrypted connections; minimum TLS 1.2, the server's certificate is verified.
        package var tls: ClientTLS?
        /// Reads at once, in the global cluster and in each cell.
        package var readConcurrency = 32
        /// Counts the requests.
        package var meter: TopologyMeter?

        /// A cluster without TLS.
        package init(address: String, root: String) {
            (self.address, self.root) = (address, root)
        }
    }

    private let configuration: Configuration
    private let clients: EtcdClients

    package var coding: RecordCoding { .binary }

    /// Opens the global connection and runs `body`.
    /// - Throws: ``TopologyError`` when no server answers, or what `body` throws.
    package static func with<Result: Sendable>(
        _ configuration: Configuration,
        _ body: @escaping @Sendable (EtcdTopology) async throws -> Result
    ) async throws -> Result {
        let settings = EtcdCluster.Settings(
            tls: configuration.tls,
            reads: configuration.readConcurrency,
            meter: configuration.meter
        )
        return try await EtcdClients.with(settings) { clients in
            let topology = EtcdTopology(configuration: configuration, clients: clients)
            try await topology.open()
            return try await body(topology)
        }
    }

    /// Finds out that a server is there before anything depends on it.
    private func open() async throws {
        do {
            var request = Etcdserverpb_RangeRequest()
            request.key = Data(Self.joined(configuration.root, "").utf8)
            let cluster = try clients.cluster(of: .global, at: configuration.address)
            _ = try await range(request, at: Place(key: configuration.root, cluster: cluster), patiently: false)
        } catch let error as TopologyError {
            throw TopologyError(
                error.code,
                "Failed to open topo server (etcd2,\(configuration.address),\(configuration.root)): \(error); HINT: see that --topo-global-server-address names etcd's client port, and whether it wants TLS"
            )
        }
    }

    // MARK: Reading

    package func read(_ path: String, in cell: TopologyCell) async throws -> TopologyFile {
        let place = try await place(of: path, in: cell)
        var request = Etcdserverpb_RangeRequest()
        request.key = Data(place.key.utf8)
        let answer = try await range(request, at: place)
        guard answer.kvs.count == 1, let found = answer.kvs.first else { throw TopologyError.noNode(place.key) }
        return TopologyFile(bytes: Array(found.value), version: String(found.modRevision))
    }

    package func list(_ path: String, in cell: TopologyCell) async throws -> [String] {
        let place = try await place(of: path, in: cell)
        let prefix = place.key.hasSuffix("/") ? place.key : place.key + "/"
        var request = Etcdserverpb_RangeRequest()
        request.key = Data(prefix.utf8)
        request.rangeEnd = Self.end(ofPrefix: prefix)
        request.keysOnly = true
        var names: Set<String> = []
        for found in try await range(request, at: Place(key: prefix, cluster: place.cluster)).kvs {
            let rest = found.key.dropFirst(prefix.utf8.count).prefix { $0 != UInt8(ascii: "/") }
            names.insert(String(decoding: rest, as: UTF8.self))
        }
        guard !names.isEmpty else { throw TopologyError.noNode(prefix) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func range(
        _ request: Etcdserverpb_RangeRequest,
        at place: Place,
        patiently: Bool = true
    ) async throws -> Etcdserverpb_RangeResponse {
        try await place.cluster.reads.acquire()
        defer { place.cluster.reads.release() }
        return try await EtcdCluster.translated(place.key, place.cluster) {
            try await place.cluster.ask(patiently: patiently) { client, options in
                try await Etcdserverpb_KV.Client(wrapping: client).range(request, options: options)
            }
        }
    }

    /// The first key behind all that begin with the prefix.
    static func end(ofPrefix prefix: String) -> Data {
        var bytes = Array(prefix.utf8)
        while let last = bytes.popLast() {
            if last < 0xff { return Data(bytes + [last + 1]) }
        }
        return Data([0])
    }

    // MARK: Writing

    package func create(_ path: String, in cell: TopologyCell, _ bytes: [UInt8]) async throws -> String {
        let place = try await place(of: path, in: cell)
        var absent = Etcdserverpb_Compare()
        absent.key = Data(place.key.utf8)
        absent.target = .version
        absent.version = 0
        let answer = try await transaction([absent], put(bytes, place), at: place)
        guard answer.succeeded else { throw TopologyError.nodeExists(place.key) }
        return String(answer.header.revision)
    }

    package func update(
        _ path: String,
        in cell: TopologyCell,
        _ bytes: [UInt8],
        expecting version: String?
    ) async throws -> String {
        let place = try await place(of: path, in: cell)
        let conditions = try version.map { [try unchanged(place, since: $0)] } ?? []
        let answer = try await transaction(conditions, put(bytes, place), at: place)
        guard answer.succeeded else { throw TopologyError.badVersion(place.key) }
        return String(answer.header.revision)
    }

    package func delete(_ path: String, in cell: TopologyCell, expecting version: String?) async throws {
        let place = try await place(of: path, in: cell)
        let conditions = try version.map { [try unchanged(place, since: $0)] } ?? []
        var remove = Etcdserverpb_RequestOp()
        remove.requestDeleteRange.key = Data(place.key.utf8)
        var look = Etcdserverpb_RequestOp()
        look.requestRange.key = Data(place.key.utf8)
        let answer = try await transaction(conditions, remove, else: look, at: place)
        guard answer.succeeded else {
            let isThere = answer.responses.first?.responseRange.kvs.isEmpty == false
            throw isThere ? TopologyError.badVersion(place.key) : TopologyError.noNode(place.key)
        }
        guard answer.responses.first?.responseDeleteRange.deleted == 1 else { throw TopologyError.noNode(place.key) }
    }

    private func put(_ bytes: [UInt8], _ place: Place) -> Etcdserverpb_RequestOp {
        var operation = Etcdserverpb_RequestOp()
        operation.requestPut.key = Data(place.key.utf8)
        operation.requestPut.value = Data(bytes)
        return operation
    }

    private func unchanged(_ place: Place, since version: String) throws -> Etcdserverpb_Compare {
        guard let revision = Int64(version) else { throw TopologyError.badVersion(place.key) }
        var condition = Etcdserverpb_Compare()
        condition.key = Data(place.key.utf8)
        condition.target = .mod
        condition.modRevision = revision
        return condition
    }

    private func transaction(
        _ conditions: [Etcdserverpb_Compare],
        _ operation: Etcdserverpb_RequestOp,
        else otherwise: Etcdserverpb_RequestOp? = nil,
        at place: Place
    ) async throws -> Etcdserverpb_TxnResponse {
        var request = Etcdserverpb_TxnRequest()
        request.compare = conditions
        request.success = [operation]
        request.failure = otherwise.map { [$0] } ?? []
        return try await EtcdCluster.translated(place.key, place.cluster) {
            try await place.cluster.change { client, options in
                try await Etcdserverpb_KV.Client(wrapping: client).txn(request, options: options)
            }
        }
    }

    // MARK: Locks

    package func withNamedLock<Result: Sendable>(
        _ name: String,
        _ record: LockRecord,
        _ limits: LockLimits,
        _ body: @escaping @Sendable (any TopologyLock) async throws -> Result
    ) async throws -> Result {
        let place = try await place(of: pathOfNamedLock(name), in: .global)
        return try await EtcdLock.hold(place.key, in: place.cluster, record, limits, body)
    }

    // MARK: Places

    private struct Place: Sendable {
        var key: String
        var cluster: EtcdCluster
    }

    /// - Throws: ``TopologyError`` with code `noNode` when the cell has no record.
    private func place(of path: String, in cell: TopologyCell) async throws -> Place {
        switch cell {
        case .global, .cell("global"):
            return Place(
                key: Self.joined(configuration.root, path),
                cluster: try clients.cluster(of: .global, at: configuration.address)
            )
        case .cell(let name):
            let file = "cells/\(name)/CellInfo"
            let info = try CellRecord(try await read(file, in: .global), of: file, coded: coding)
            do {
                return Place(
                    key: Self.joined(info.root, path),
                    cluster: try clients.cluster(of: cell, at: info.serverAddress)
                )
            } catch let error as TopologyError {
                throw TopologyError(
                    error.code,
                    "failed to create topo connection to \(info.serverAddress), \(info.root): \(error)"
                )
            }
        }
    }

    /// Root and path with one slash between: a slash in front of the root stays, doubled and trailing ones go.
    static func joined(_ root: String, _ path: String) -> String {
        let parts = (root + "/" + path).split(separator: "/").filter { $0 != "." }
        return (root.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
