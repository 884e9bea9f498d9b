import Foundation
import TestSupport
import Testing

/// Kind J, by the real binary: no line takes time that grows with the square of its length.
@Suite("Kind J: long lines")
struct LineTests {
    private let folder = TemporaryFolder()

    /// Runs a script and checks that it ends within a time that only a fault exceeds on a busy machine.
    private func run(_ script: String) throws -> NacreProcess {
        let path = folder.file("script.nacre")
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        let clock = ContinuousClock()
        let start = clock.now
        let run = try NacreProcess(["--no-init", "Tests/Fixtures/models/tiny-chat.h5", "-f", path])
        #expect(clock.now - start < .seconds(30))
        return run
    }

    @Test("expect with 10,000 and")
    func conjunctions() throws {
        let run = try run("expect " + String(repeating: "1 < 2 and ", count: 10_000) + "1 < 2")
        #expect(run.code == 2 && run.errors.contains("was given 40003 words, and takes at most 2048"))
        #expect(try self.run("expect " + String(repeating: "1 < 2 and ", count: 400) + "1 < 2").code == 0)
    }

    @Test("40,000 words of a text")
    func words() throws {
        let run = try run("tokens " + String(repeating: "a ", count: 40_000))
        #expect(run.code == 0 && run.output.split(separator: "\n").count > 40_000)
    }

    @Test("20,000 unclosed ${a:-")
    func defaults() throws {
        let run = try run(String(repeating: "${a:-", count: 20_000))
        #expect(run.code == 2 && run.errors.contains("${ needs a name and a }"))
    }

    @Test("commas, brackets and dots in a path", arguments: ["it[", "it.", "it.a["])
    func paths(_ start: String) throws {
        let sign = start == "it." ? ".a" : start == "it[" ? "," : "["
        let run = try run("next a\nexpect \(start)\(String(repeating: sign, count: 8000))] < 2")
        #expect(run.code == 2 || run.code == 1)
    }

    @Test("a variable that doubles is refused before it fills the memory")
    func doubling() throws {
        let lines = Array(repeating: "let x = \"$x$x\"", count: 40)
        let run = try run((["let x = 0123456789"] + lines).joined(separator: "\n"))
        #expect(run.code == 2 && run.errors.contains("with its variables the command has more than 1 MB"))
        let many = (0..<20).map { "let x\($0) = $large" }
        let sum = try self.run(
            (["let large = \(String(repeating: "x", count: 1_000_000))"] + many).joined(separator: "\n"))
        #expect(sum.code == 1 && sum.errors.contains("the texts of all variables may have 16.8 MB together"))
    }
}
