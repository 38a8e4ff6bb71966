import CLinux
import Glibc
package import SystemPackage

/// Room on the file system that holds a path.
package struct FileSystemSpace: Hashable, Sendable, CustomStringConvertible {
    /// Where it is mounted, or the path that was asked for when that is not known.
    package var mountPoint: String
    /// Tells file systems apart.
    package var device: UInt64
    /// Bytes that may still be written by anybody; root has a little more.
    package var available: Int64
    package var total: Int64
    /// It may hold more than it has room for, since it compresses; or it does not tell.
    package var isElastic: Bool
    /// Only this machine uses it, so that its locks are everybody's.
    package var isLocal: Bool

    /// Looks at the file system of `path`, or of the nearest folder above it that exists; blocking.
    /// - Throws: ``FileError``.
    package init(of path: FilePath) throws(FileError) {
        var place = path
        while try FileTree.status(place) == nil, !place.isEmpty, place != place.removingLastComponent() {
            place = place.removingLastComponent()
        }
        if place.isEmpty { place = "." }
        var space = statvfs()
        var status = stat()
        guard statvfs(place.string, &space) == 0, stat(place.string, &status) == 0 else {
            throw FileError("statvfs", place, Errno(rawValue: errno))
        }
        var system = statfs()
        guard statfs(place.string, &system) == 0 else { throw FileError("statfs", place, Errno(rawValue: errno)) }
        let block = Int64(space.f_frsize)
        available = Int64(clamping: space.f_bavail).multipliedClamping(by: block)
        total = Int64(clamping: space.f_blocks).multipliedClamping(by: block)
        isElastic = total == 0 || Self.compressing.contains(Int64(system.f_type) & 0xffff_ffff)
        isLocal = !Self.shared.contains(Int64(system.f_type) & 0xffff_ffff)
        device = UInt64(status.st_dev)
        mountPoint = Self.mountPoint(of: FileTree.resolved(place)) ?? place.string
    }

    /// Magic numbers of btrfs, ZFS and bcachefs.
    private static let compressing: Set<Int64> = [0x9123_683e, 0x2fc1_2fc1, 0xca45_1a4e]

    /// Magic numbers of NFS, SMB 1, CIFS, SMB 2, Ceph, Lustre, GPFS, OCFS2, GFS2, AFS, 9P and FUSE.
    private static let shared: Set<Int64> = [
        0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x00c3_6400, 0x0bd0_0bd0, 0x4750_4653, 0x7461_636f, 0x0116_1970,
        0x5346_414f, 0x0102_1997, 0x6573_5546,
    ]

    package var description: String { "file system \(mountPoint) (\(available) of \(total) bytes free)" }

    /// The longest mount point above the path.
    private static func mountPoint(of path: FilePath) -> String? {
        guard let bytes = try? FileTree.read("/proc/self/mounts", limit: 1 << 20) else { return nil }
        let place = path.string
        var longest: String?
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 1 else { continue }
            // Blanks are written in octal.
            let point = String(fields[1]).replacing("\\040", with: " ")
            let isAbove = point == "/" || place == point || place.hasPrefix(point + "/")
            if isAbove, point.utf8.count >= longest?.utf8.count ?? 0 { longest = point }
        }
        return longest
    }
}

extension Int64 {
    fileprivate func multipliedClamping(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
