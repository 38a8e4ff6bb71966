import Testing

@testable import MySQLWire

@Suite("Result sets")
struct ResultSetTests {
    private var result: ResultSet {
        var result = ResultSet()
        result.columns = ["Source_Host", "Port"]
        result.rows = [["db1", nil], ["db2", "3306"]]
        return result
    }

    @Test("give values by column, whatever its case, and row")
    func values() {
        #expect(result.value("source_host") == "db1")
        #expect(result.value("SOURCE_HOST", row: 1) == "db2")
        #expect(result.value("Port") == nil)
        #expect(result.value("Port", row: 1) == "3306")
    }

    @Test("have nothing where there is nothing")
    func absent() {
        #expect(result.value("User") == nil)
        #expect(result.value("Port", row: 2) == nil)
        #expect(result.value("Port", row: -1) == nil)
        #expect(ResultSet().value("Port") == nil)
    }

    @Test("the scalar is the first value of the first row")
    func scalar() {
        #expect(result.scalar == "db1")
        #expect(ResultSet().scalar == nil)
        var null = ResultSet()
        null.columns = ["a"]
        null.rows = [[nil]]
        #expect(null.scalar == nil)
    }
}
