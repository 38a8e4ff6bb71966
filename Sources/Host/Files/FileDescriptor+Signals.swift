import Glibc
package import SystemPackage

/// Calls that a signal may interrupt, as Linux means it.
extension FileDescriptor {
    /// Closes the file; Linux has closed it also when a signal came meanwhile.
    /// - Throws: `Errno` when what was written before may be lost.
    package func finish() throws(Errno) {
        do {
            try close()
        } catch let error as Errno {
            if error != .interrupted { throw error }
        } catch {
            throw .ioError
        }
    }

    /// Runs `body` and closes the file afterwards; what `body` throws goes before what closing it throws.
    package func closing<Result>(_ body: () throws -> Result) throws -> Result {
        let result: Result
        do {
            result = try body()
        } catch {
            try? finish()
            throw error
        }
        try finish()
        return result
    }

    /// Makes what was written durable; where the file system knows no such thing, nothing better can be done.
    func synchronize() throws(Errno) {
        while fsync(rawValue) != 0 {
            let code = Errno(rawValue: errno)
            if [.invalidArgument, .noFunction, .notSupported].contains(code) { return }
            guard code == .interrupted else { throw code }
        }
    }
}
