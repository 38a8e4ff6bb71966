import Glibc

/// The user that this process runs as.
enum ProcessUser {
    /// The effective user's name; `nil` when the system has none for its number.
    static var name: String? {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return nil }
        return String(cString: name)
    }
}
