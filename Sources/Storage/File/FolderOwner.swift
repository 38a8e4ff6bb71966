import Glibc
import Host
import SystemPackage

/// To whom what we create in storage belongs.
///
/// A pass that runs as root must not leave backups behind that only root can read: what it creates gets owner and group of
/// the folder that it goes into. File systems that know no owners, or a server that lets nobody set them, keep theirs.
struct FolderOwner: Sendable {
    /// Whether we may give something away.
    let isActive: Bool

    /// Gives a new folder or file to the owner of the folder that it stands in.
    func apply(to path: FilePath) {
        guard isActive, let owner = owner(of: path) else { return }
        _ = lchown(path.string, owner.user, owner.group)
    }

    /// The same for a file that is open.
    func apply(to file: FileDescriptor, _ path: FilePath) {
        guard isActive, let owner = owner(of: path) else { return }
        _ = fchown(file.rawValue, owner.user, owner.group)
    }

    private func owner(of path: FilePath) -> FileOwner? {
        let parent = path.removingLastComponent()
        return (try? FileTree.status(parent.isEmpty ? "." : parent))?.owner
    }
}
