import Testing

@testable import Workflows

/// What of the primary's settings makes a backup useless for it, and what is only said.
@Suite("settings of the primary")
struct SettingsCheckTests {
    private func checksums(_ our: String, _ their: String, _ version: String) -> (refused: Bool, warned: Bool) {
        let ours = ["innodb_checksum_algorithm": our]
        let theirs = ["innodb_checksum_algorithm": their, "version": version]
        return (
            !SettingsCheck.refusals(ours, theirs, isFirst: true).isEmpty,
            !SettingsCheck.warnings(ours, theirs, isFirst: true).isEmpty
        )
    }

    @Test(
        "a strict MariaDB does not read pages of another algorithm; every MySQL does, and nobody minds crc32 in both forms",
        arguments: [
            ("innodb", "strict_crc32", true), ("none", "strict_full_crc32", true), ("crc32", "strict_none", true),
            ("full_crc32", "strict_innodb", true), ("crc32", "strict_full_crc32", false),
            ("full_crc32", "strict_crc32", false), ("strict_crc32", "strict_crc32", false), ("innodb", "crc32", false),
            ("NONE", "STRICT_NONE", false),
        ]
    )
    func strictChecksums(_ our: String, _ their: String, _ isRefused: Bool) {
        #expect(checksums(our, their, "10.5.29-MariaDB-log").refused == isRefused)
        #expect(!checksums(our, their, "8.0.44").refused)
    }

    @Test("another algorithm is said, a stricter one is not")
    func checksumWarnings() {
        #expect(checksums("crc32", "none", "8.0.44").warned)
        #expect(checksums("innodb", "strict_crc32", "9.7.4").warned)
        #expect(!checksums("crc32", "strict_crc32", "9.7.4").warned)
    }

    @Test("names and pages decide always, the files of the system tablespace only where they are made")
    func decisive() {
        let ours = ["lower_case_table_names": "1", "innodb_page_size": "16384", "innodb_data_file_path": "a:10M"]
        let theirs = ["lower_case_table_names": "0", "innodb_page_size": "8192", "innodb_data_file_path": "b:10M"]
        #expect(SettingsCheck.refusals(ours, theirs, isFirst: false).count == 2)
        #expect(SettingsCheck.refusals(ours, theirs, isFirst: true).count == 3)
        #expect(SettingsCheck.warnings(ours, theirs, isFirst: false).count == 1)
        #expect(SettingsCheck.refusals([:], theirs, isFirst: true).isEmpty)
    }
}
