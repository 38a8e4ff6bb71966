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
        let block = Int64(space.f_frsize)
        available = Int64(clamping: space.f_bavail).multipliedClamping(by: block)
        total = Int64(clamping: space.f_blocks).multipliedClamping(by: block)
        device = UInt64(status.st_dev)
        mountPoint = Self.mountPoint(of: FileTree.resolved(place)) ?? place.string
    }

    package var description: String { "file system \(mountPoint) (\(available) of \(total) bytes free)" }

    /// The longest mount point above the path.
    private static func mountPoint(of path: FilePath) -> String? {
        guard let bytes = try? FileTree.read("/proc/self/mounts", limit: 1 << 20) else { return nil }
        let points = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line -> FilePath? in
            let fields = line.split(separator: " ")
            // Blanks are written in octal.
            return fields.count > 1 ? FilePath(String(fields[1]).replacing("\\040", with: " ")) : nil
        }
        return points.filter { path.starts(with: $0) }.max { $0.length < $1.length }?.string
    }
}

extension Int64 {
    fileprivate func multipliedClamping(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
