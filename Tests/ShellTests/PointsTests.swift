import Foundation
import Language
import LinearAlgebra
import Provenance
import Reports
import TerminalText
import TestSupport
import Testing
import Workbench

@testable import Shell

@Suite("Points")
struct PointsTests {
    private static func root(_ path: String) -> String { NacreProcess.root.appending(path: path).path }

    /// A session in which these lines were run.
    private func session(_ lines: String...) throws -> Session {
        let session = Session(settings: Settings(threads: 1))
        session.settings.progress = false
        let interpreter = Interpreter(session)
        let folder = TemporaryFolder()
        for line in lines {
            let status = interpreter.run("\(line) > \(folder.file("output"))", from: .prompt, quietly: true)
            #expect(status == .done, "\(line)")
            try? FileManager.default.removeItem(atPath: folder.file("output"))
        }
        return session
    }

    @Test("captures and points are measured through one door")
    func sources() throws {
        let session = try session(
            "open \(Self.root("Tests/Fixtures/models/tiny-chat.h5"))",
            "corpus = prompts \(Self.root("Scripts/prompts/facts.jsonl")) --limit 5",
            "acts = capture resid_post[*] --prompts corpus", "means = capture resid_post[0] --prompts corpus --at mean",
            "ball = points \(Self.root("Tests/Fixtures/points/ball.npy")) --limit 7")
        let sites = try session.pointSources(named: "acts")
        #expect(sites.map(\.name) == ["blocks.0.hook_resid_post", "blocks.1.hook_resid_post"])
        #expect(sites.map(\.count) == [5, 5] && sites.map(\.width) == [32, 32])
        #expect(try sites[1].matrix() == session.capture(named: "acts").matrix("blocks.1.hook_resid_post"))
        let prompts = try session.prompts(named: "corpus").prompts
        let row = try #require(sites[0].row(3))
        #expect(row.prompt == 3 && row.text == prompts[3].text && row.label == prompts[3].label)
        #expect(row.token != nil && row.position != nil)
        let mean = try #require(session.pointSource(named: "means").row(0))
        #expect(mean.token == nil && mean.position == nil)
        #expect(try session.pointSources(named: "acts", site: "resid_post[-1]").map(\.name) == [sites[1].name])
        #expect(try session.pointSources(named: "acts", site: "resid_post[0..1]").count == 2)
        #expect(throws: WorkbenchError.self) { try session.pointSource(named: "acts") }
        #expect(throws: WorkbenchError.self) { try session.pointSource(named: "acts", site: "resid_post[*]") }
        #expect(throws: WorkbenchError.self) { try session.pointSources(named: "acts", site: "ln_final") }

        let ball = try session.pointSource(named: "ball")
        #expect(ball.name == "ball.npy" && ball.count == 7 && ball.width == 10 && !ball.hasTexts)
        #expect(ball.row(0) == nil)
        #expect(try ball.matrix().rows == 7)
        #expect(ball.inputs.map(\.name) == ["ball.npy"])
        #expect(throws: CommandError.self) { try session.pointSources(named: "ball", site: "resid_post[0]") }
        #expect(throws: CommandError.self) { try session.pointSources(named: "corpus") }
    }

    @Test("NaN and Inf are kept, counted and named")
    func notFinite() throws {
        let folder = TemporaryFolder()
        let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}"
        let numbers: [Float] = [1, 2, 3, .nan, .infinity, 6]
        writeBytes(
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(head.utf8.count), 0] + Array(head.utf8)
                + numbers.withUnsafeBytes { Array($0) }, folder.file("bad.npy"))
        let run = try NacreProcess(
            ["--no-init", "--keep-going", "-c", "bad = points \(folder.file("bad.npy"))", "-c", "pca bad"],
            mergesErrors: true)
        #expect(run.output.contains("2 numbers of 6 are NaN or Inf; the first is in row 1, column 1.\n"))
        #expect(run.output.contains("bad.npy: row 1, column 1 is NaN; leave that row out"))
    }

    @Test("a name, the dataset after a colon, and a colon in the name")
    func split() {
        let folder = TemporaryFolder()
        for name in ["a.h5", "b:c.h5"] { writeBytes([1], folder.file(name)) }
        func split(_ text: String) -> [String?] {
            let (path, dataset) = PointsCommand.split(folder.file(text))
            return [String(path.dropFirst(folder.path.count + 1)), dataset]
        }
        #expect(split("a.h5") == ["a.h5", nil])
        #expect(split("a.h5:/x:y") == ["a.h5", "/x:y"])
        #expect(split("b:c.h5") == ["b:c.h5", nil])
        #expect(split("b:c.h5:x") == ["b:c.h5", "x"])
        #expect(split("none.h5:x") == ["none.h5", "x"])
        #expect(split("none") == ["none", nil])
    }
}
