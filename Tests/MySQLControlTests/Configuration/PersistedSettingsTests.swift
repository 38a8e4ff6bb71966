import Testing

@testable import MySQLControl

@Suite("Settings that are persisted in the data")
struct PersistedSettingsTests {
    @Test(
        "are read in both forms that servers write",
        arguments: [
            #"{ "Version" : 1 , "mysql_server" : { "innodb_strict_mode" : { "Value" : "OFF" , "Metadata" : { "Timestamp" : 1 , "User" : "root" , "Host" : "localhost" } } , "mysql_server_static_options" : { "back_log" : { "Value" : "71" , "Metadata" : { "Timestamp" : 2 , "User" : "root" , "Host" : "localhost" } } } } }"#,
            #"{"Version": 2, "mysql_dynamic_parse_early_variables": {}, "mysql_dynamic_variables": {"innodb_strict_mode": {"Value": "OFF", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": 1}}}, "mysql_static_variables": {"back_log": {"Value": "71", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": 2}}}, "mysql_sensitive_dynamic_variables": {"secret": {"Value": "x"}}}"#,
        ]
    )
    func forms(_ text: String) throws {
        let found = try PersistedSettings(Array(text.utf8))
        #expect(
            found.settings == [
                PersistedSettings.Setting(name: "back_log", value: "71"),
                PersistedSettings.Setting(name: "innodb_strict_mode", value: "OFF"),
            ]
        )
        #expect(found.lines == [#"loose_back_log = "71""#, #"loose_innodb_strict_mode = "OFF""#])
    }

    @Test("what a line of my.cnf cannot say is left out, quotes and backslashes come back as they were")
    func values() throws {
        let text = #"{"v": {"a": {"Value": "x\ny"}, "b": {"Value": "c:\\d \"e\""}, "c\n[mysqld]": {"Value": "1"}}}"#
        #expect(try PersistedSettings(Array(text.utf8)).lines == [#"loose_b = "c:\\d \"e\"""#])
    }

    @Test("stand before our last word, once")
    func place() {
        let text = "[mysqld]\na = 1\n[mysqld]\n# The last word, ours\nb = 2\n"
        let once = MyCnfFragment.including(["loose_x = \"1\""], in: text, mark: "# P\n")
        #expect(once == "[mysqld]\na = 1\n[mysqld]\n# P\nloose_x = \"1\"\n[mysqld]\n# The last word, ours\nb = 2\n")
        #expect(MyCnfFragment.including(["loose_x = \"1\""], in: once, mark: "# P\n") == once)
        #expect(MyCnfFragment.including([], in: once, mark: "# P\n") == text)
    }
}
