import FoundationEssentials
import Host
import SystemPackage

/// The lines of a campaign (`VTB_SOAK_LOG`), by which it is resumed; without the variable nothing is kept.
struct CampaignLog: Sendable {
    private let path = ProcessInfo.processInfo.environment["VTB_SOAK_LOG"].map { FilePath($0) }

    /// Seeds that are done.
    func seeds(_ kind: String) -> Set<UInt64> {
        guard let path, let bytes = try? FileTree.read(path, limit: 256 << 20) else { return [] }
        let prefix = "\(kind) seed="
        return Set(
            String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
                line.hasPrefix(prefix) ? UInt64(line.dropFirst(prefix.count).prefix { $0.isNumber }) : nil
            }
        )
    }

    /// Adds a line.
    func note(_ line: String) {
        guard let path else { return }
        guard
            let file = try? FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .append],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
        else { return }
        _ = try? file.closeAfter { try file.writeAll(Array((line + "\n").utf8)) }
    }
}
