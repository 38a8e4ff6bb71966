import Glibc
package import SystemPackage

extension FileDescriptor {
    /// Tells the kernel that this file is read from front to back.
    package func adviseSequential() {
        _ = posix_fadvise(rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Gives the page cache of a part that has been read back to its neighbours.
    package func adviseDone(offset: Int64, count: Int) {
        _ = posix_fadvise(rawValue, Int(offset), count, POSIX_FADV_DONTNEED)
    }

    /// Reads exactly `buffer.count` bytes at `offset`, or fewer at the end of the file.
    package func readFully(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count {
            let count = try read(
                fromAbsoluteOffset: offset + Int64(done),
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            )
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Writes all of `bytes` at `offset`.
    package func writeFully(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            done += try write(toAbsoluteOffset: offset + Int64(done), UnsafeRawBufferPointer(rebasing: bytes[done...]))
        }
    }

    /// Size in bytes and time of the last change (ns), of the file as it is open.
    package func sizeAndChange() throws -> (size: Int64, changed: Int64) {
        var buffer = Glibc.stat()
        guard fstat(rawValue, &buffer) == 0 else { throw Errno(rawValue: errno) }
        return (Int64(buffer.st_size), Int64(buffer.st_mtim.tv_sec) * 1_000_000_000 + Int64(buffer.st_mtim.tv_nsec))
    }
}
