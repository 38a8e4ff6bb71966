import Testing

@testable import MySQLControl

/// What mysqld says of its settings before it runs, and of why it did not.
@Suite("settings before the start")
struct PlannedSettingsTests {
    @Test("the table at the end of mysqld's help is read, and nothing above it")
    func help() {
        let found = Mysqld.settings(
            inHelp: """
                mysqld  Ver 9.7.4
                  --innodb-page-size=# Page size to use.
                innodb-page-size 4096
                -----------------

                Variables (--variable-name=value)
                and boolean options {FALSE|TRUE}                             Value (after reading options)
                ------------------------------------------------------------ -------------
                abort-slave-event-count                                      0
                innodb-data-file-path                                        ibdata1:12M; ibdata2:10M:autoextend
                innodb-page-size                                             8192
                innodb-undo-directory                                        (No default value)
                lower-case-table-names                                       1

                To see what variables a running MySQL server is using, type
                """
        )
        #expect(found["innodb_page_size"] == "8192")
        #expect(found["lower_case_table_names"] == "1")
        #expect(found["innodb_data_file_path"] == "ibdata1:12M; ibdata2:10M:autoextend")
        #expect(found["innodb_undo_directory"] == nil)
        #expect(Mysqld.settings(inHelp: "").isEmpty)
    }

    @Test("names of tables that the dictionary refuses are told by the error's number, in any language")
    func namesOfTables() throws {
        let log = """
            2026-11-30T19:38:17.770603Z 1 [ERROR] [MY-011087] [Server] Unterschiedliche Einstellung: Server ('1'), Verzeichnis ('0').
            2026-11-30T19:38:17.770603Z 0 [ERROR] [MY-010020] [Server] Data Dictionary initialization failed.
            """
        let found = try #require(ErrorLogTail.namesOfTablesRefused(in: log))
        #expect(found == ("1", "0"))
        #expect(ErrorLogTail.namesOfTablesRefused(in: log.replacing("011087", with: "011088")) == nil)
    }
}
