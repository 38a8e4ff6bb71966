import SystemPackage
import Testing

@testable import MySQLControl

@Suite("Templates of my.cnf")
struct TemplateTests {
    private let cnf = MyCnf(directory: TabletDirectory(dataRoot: "/vt", uid: 7), serverID: 99, port: 3306)

    struct Case: Sendable, CustomTestStringConvertible {
        var template: String
        var text: String
        var testDescription: String { template }
    }

    @Test(
        "fields",
        arguments: [
            Case(template: "{{.ServerID}}", text: "99"),
            Case(template: "{{ .MysqlPort }}", text: "3306"),
            Case(template: "{{.DataDir}}", text: "/vt/vt_0000000007/data"),
            Case(template: "{{.InnodbDataHomeDir}}", text: "/vt/vt_0000000007/innodb/data"),
            Case(template: "{{.InnodbLogGroupHomeDir}}", text: "/vt/vt_0000000007/innodb/logs"),
            Case(template: "{{.SecureFilePriv}}", text: "/vt/vt_0000000007/tmp"),
            Case(template: "{{.SocketFile}}", text: "/vt/vt_0000000007/mysql.sock"),
            Case(template: "{{.GeneralLogPath}}", text: "/vt/vt_0000000007/general.log"),
            Case(template: "{{.ErrorLogPath}}", text: "/vt/vt_0000000007/error.log"),
            Case(template: "{{.SlowLogPath}}", text: "/vt/vt_0000000007/slow-query.log"),
            Case(template: "{{.RelayLogPath}}", text: "/vt/vt_0000000007/relay-logs/vt-0000000007-relay-bin"),
            Case(
                template: "{{.RelayLogIndexPath}}",
                text: "/vt/vt_0000000007/relay-logs/vt-0000000007-relay-bin.index"
            ),
            Case(template: "{{.RelayLogInfoPath}}", text: "/vt/vt_0000000007/relay-logs/relay-log.info"),
            Case(template: "{{.BinLogPath}}", text: "/vt/vt_0000000007/bin-logs/vt-0000000007-bin"),
            Case(template: "{{.MasterInfoFile}}", text: "/vt/vt_0000000007/master.info"),
            Case(template: "{{.PidFile}}", text: "/vt/vt_0000000007/mysql.pid"),
            Case(template: "{{.TmpDir}}", text: "/vt/vt_0000000007/tmp"),
            Case(template: "{{.Path}}", text: "/vt/vt_0000000007/my.cnf"),
        ]
    )
    func fields(_ test: Case) throws {
        #expect(try cnf.render("<\(test.template)>\n") == "<\(test.text)>\n")
    }

    @Test(
        "text and conditions",
        arguments: [
            Case(template: "", text: ""),
            Case(template: "a = {b}\n# }} and { {\n", text: "a = {b}\n# }} and { {\n"),
            Case(template: "{{if .TmpDir}}yes{{end}}.", text: "yes."),
            Case(template: "{{if .TmpDir}}yes{{else}}no{{end}}.", text: "yes."),
            Case(template: "{{if .TmpDir}}{{.ServerID}}{{else}}{{.MysqlPort}}{{end}}", text: "99"),
            Case(template: "{{if .TmpDir}}a{{if .DataDir}}b{{else}}c{{end}}d{{else}}e{{end}}f", text: "abdf"),
            Case(template: "{{if .TmpDir}}a{{end}}{{if .DataDir}}b{{end}}", text: "ab"),
        ]
    )
    func conditions(_ test: Case) throws {
        #expect(try cnf.render(test.template) == test.text)
    }

    @Test(
        "an empty value and the number zero are false, also around other conditions",
        arguments: [
            Case(template: "{{if .SocketFile}}yes{{end}}.", text: "."),
            Case(template: "{{if .SocketFile}}yes{{else}}no{{end}}.", text: "no."),
            Case(template: "{{if .ServerID}}yes{{else}}no{{end}}.", text: "no."),
            Case(template: "{{if .SocketFile}}a{{if .DataDir}}b{{else}}c{{end}}d{{else}}e{{end}}f", text: "ef"),
            Case(template: "{{if .SocketFile}}{{if .DataDir}}a{{end}}{{.TmpDir}}{{end}}b", text: "b"),
            Case(template: "{{if .DataDir}}{{if .SocketFile}}a{{else}}b{{end}}{{end}}", text: "b"),
        ]
    )
    func falseValues(_ test: Case) throws {
        let cnf = MyCnf(directory: cnf.directory, serverID: 0, port: 1, socket: "")
        #expect(try cnf.render(test.template) == test.text)
    }

    @Test(
        "everything else between double braces is refused",
        arguments: [
            "{{.Unknown}}", "{{DataDir}}", "{{.DataDir", "{{", "{{}}", "{{if .Unknown}}a{{end}}", "{{if .DataDir}}a",
            "{{else}}",
            "{{end}}", "{{if}}a{{end}}", "{{if not .DataDir}}a{{end}}", "{{if .DataDir}}a{{else}}b{{else}}c{{end}}",
            "{{if .DataDir}}a{{else if .TmpDir}}b{{end}}", "{{range .DataDir}}{{end}}", "{{- .DataDir -}}",
            "{{/* a */}}",
            "{{.DataDir | printf}}", "{{if .DataDir}}{{.Unknown}}{{end}}",
            "{{if .DataDir}}a{{else}}{{.Unknown}}{{end}}",
        ]
    )
    func errors(template: String) {
        let error = #expect(throws: MysqldError.self) { try cnf.render(template) }
        #expect(error?.code == .configuration)
        #expect(error?.message.hasPrefix("my.cnf template: ") == true)
    }
}
