/// The line of `--version`.
///
/// Callers of Vitess read the major version from the first `Version: n.`.
enum VtbackupVersion {
    static let line =
        "vtbackup version Version: 24.0.4 (Git revision  branch '') built on  by @ using swift6 linux/amd64"
}
