import GRPCCore
package import Positions
package import Topology
import WireProtos
package import Workflows

extension TabletManagerClient: ObservedTablets {
    package func replication(of tablet: TabletRecord, within limit: Duration) async throws -> TabletReplication? {
        do {
            let answer = try await call("ReplicationStatus", tablet, within: limit) { client, metadata, options in
                try await Tabletmanagerservice_TabletManager.Client(wrapping: client).replicationStatus(
                    request: ClientRequest(message: Tabletmanagerdata_ReplicationStatusRequest(), metadata: metadata),
                    options: options
                )
            }
            return try replication(answer.status, of: tablet)
        } catch let error as WorkflowError where error.description.contains("no replication status (errno 100)") {
            return nil
        }
    }

    package func status(of tablet: TabletRecord, within limit: Duration) async throws -> TabletStatus {
        let status = try await call("FullStatus", tablet, within: limit) { client, metadata, options in
            try await Tabletmanagerservice_TabletManager.Client(wrapping: client).fullStatus(
                request: ClientRequest(message: Tabletmanagerdata_FullStatusRequest(), metadata: metadata),
                options: options
            )
        }.status
        return TabletStatus(
            serverID: status.serverID,
            serverUUID: status.serverUuid,
            version: status.version,
            versionComment: status.versionComment,
            purged: try decoded(status.gtidPurged, of: tablet),
            replication: status.hasReplicationStatus ? try replication(status.replicationStatus, of: tablet) : nil,
            primaryPosition: try decoded(status.primaryStatus.position, of: tablet),
            isReadOnly: status.readOnly,
            isSuperReadOnly: status.superReadOnly,
            isDiskStalled: status.diskStalled,
            kind: TabletRecord.Kind(rawValue: status.tabletType.rawValue) ?? .unknown
        )
    }

    private func replication(_ status: Replicationdata_Status, of tablet: TabletRecord) throws -> TabletReplication {
        TabletReplication(
            position: try decoded(status.position, of: tablet),
            lag: status.replicationLagUnknown ? nil : .seconds(Int64(status.replicationLagSeconds)),
            sourceHost: status.sourceHost,
            sourcePort: Int(status.sourcePort),
            receiver: TabletReplication.Thread(status.ioState),
            applier: TabletReplication.Thread(status.sqlState),
            receiverError: status.lastIoError,
            applierError: status.lastSqlError,
            isBackupRunning: status.backupRunning
        )
    }
}

extension TabletReplication.Thread {
    /// Vitess's numbers.
    fileprivate init(_ state: Int32) {
        self =
            switch state {
            case 1: .stopped
            case 2: .connecting
            case 3: .running
            default: .unknown
            }
    }
}

extension TabletManagerClient {
    private static let purgedLimit = Duration.seconds(20)

    package func purgedPosition(of tablet: TabletRecord) async throws -> Position? {
        try await status(of: tablet, within: Self.purgedLimit).purged
    }
}
