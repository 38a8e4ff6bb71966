import Glibc
package import Host
package import SystemPackage

/// As whom mysqld runs.
///
/// It never runs as root by accident.
package enum MysqldUser: Hashable, Sendable {
    /// As ourselves: we are not root.
    case inherited
    /// As root, because the operator said `--allow-root`.
    case root
    /// As another user, to whom we give the files that we create.
    case other(FileOwner, name: String?)

    /// Whether we run as root.
    package static var isRoot: Bool { geteuid() == 0 }

    /// Owner of the files that we create for mysqld; `nil`: they are ours.
    package var fileOwner: FileOwner? {
        if case .other(let owner, _) = self { owner } else { nil }
    }

    /// Decides as described in the decision on root: `--allow-root`, else the owner of the data root, else user `mysql`.
    /// - Parameters:
    ///   - allowRoot: `--allow-root` was given.
    ///   - dataRoot: `VTDATAROOT`, whose owner decides.
    ///   - mustEnter: folders that mysqld has to reach; checked before anything starts.
    /// - Returns: the user; not root unless it was allowed.
    /// - Throws: ``MysqldError`` with code `installation` that names the way out.
    package static func decide(allowRoot: Bool, dataRoot: FilePath, mustEnter: [FilePath]) throws -> MysqldUser {
        guard isRoot else { return .inherited }
        if allowRoot { return .root }
        let hint = "HINT: make VTDATAROOT (\(dataRoot)) belong to the user who shall run mysqld, or give --allow-root"
        if let owner = try FileTree.status(nearestExisting(dataRoot))?.owner, owner.user != 0,
            try FileTree.status(dataRoot) != nil
        {
            let blocked = try (mustEnter + [dataRoot]).first { try !canEnter($0, as: owner) }
            if let blocked {
                throw MysqldError(
                    .installation,
                    "mysqld would run as uid \(owner.user), the owner of VTDATAROOT, who cannot enter \(blocked); \(hint)"
                )
            }
            return .other(owner, name: nil)
        }
        guard let entry = getpwnam("mysql") else {
            throw MysqldError(
                .installation,
                "servenv.Init: running this as root makes no sense: VTDATAROOT belongs to root and there is no user mysql; \(hint)"
            )
        }
        let owner = FileOwner(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        if let blocked = try (mustEnter + [nearestExisting(dataRoot)]).first(where: { try !canEnter($0, as: owner) }) {
            throw MysqldError(
                .installation,
                "servenv.Init: running this as root makes no sense: user mysql cannot enter \(blocked); \(hint)"
            )
        }
        return .other(owner, name: "mysql")
    }

    /// The command in front of mysqld: it makes the kernel kill mysqld when we die, and changes the user.
    ///
    /// The order matters: a change of user clears the death signal, so one program does both.
    func launcher(_ program: FilePath) -> [String] {
        var words = [program.string, "--pdeathsig", "KILL"]
        if case .other(let owner, let name) = self {
            words += ["--reuid", String(owner.user), "--regid", String(owner.group)]
            words.append(name == nil ? "--clear-groups" : "--init-groups")
        }
        return words + ["--"]
    }

    /// Arguments of mysqld itself.
    var serverArguments: [String] { self == .root ? ["--user=root"] : [] }

    private static func nearestExisting(_ path: FilePath) throws -> FilePath {
        var path = path
        while try FileTree.status(path) == nil, !path.removingLastComponent().isEmpty {
            path = path.removingLastComponent()
        }
        return path
    }

    /// Whether the search permission on `path` and on every folder above it allows `user` in.
    private static func canEnter(_ path: FilePath, as user: FileOwner) throws -> Bool {
        var folder = path
        while true {
            if let status = try FileTree.status(folder) {
                let bit: UInt32 =
                    status.owner.user == user.user ? 0o100 : status.owner.group == user.group ? 0o010 : 0o001
                if status.kind == .directory, status.mode & bit == 0 { return false }
                if status.kind != .directory, status.mode & (bit << 2) == 0 { return false }
            }
            let parent = folder.removingLastComponent()
            if parent == folder || parent.isEmpty { return true }
            folder = parent
        }
    }
}
