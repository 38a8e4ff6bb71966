import Catalog
import MySQLControl
import SystemPackage

extension TabletDirectory {
    /// Where the files of a manifest's `Base` lie.
    func folder(of base: BaseDirectory) -> FilePath {
        switch base {
        case .innodbData: innodbData
        case .innodbLog: innodbLogs
        case .data: data
        case .binLog: binLog.removingLastComponent()
        }
    }
}
