import Foundation
import Geometry
import Reports
import TestSupport
import Testing

@testable import Shell

@Suite("Help")
struct HelpTests {
    @Test("every command has a page with a summary")
    func pages() {
        for command in Registry.all {
            #expect(!command.summary.isEmpty, "\(command.verb)")
            #expect(Help.page(command).contains("USAGE: \(command.verb)"), "\(command.verb)")
        }
        #expect(Set(Registry.verbs).count == Registry.verbs.count)
    }

    /// As a reader would run it: at the top of the repository, with pearl-base open, nothing else.
    @Test("every example of every page runs as printed", arguments: Registry.verbs)
    func examples(verb: String) throws {
        let command = try #require(Registry.find(verb))
        let folder = TemporaryFolder()
        let here = URL(filePath: folder.path)
        let files = FileManager.default
        try files.createDirectory(at: here.appending(path: "Scripts"), withIntermediateDirectories: false)
        for name in ["Checkpoints", "Scripts/prompts", "Tests"] {
            try files.createSymbolicLink(
                at: here.appending(path: name), withDestinationURL: NacreProcess.root.appending(path: name))
        }
        // What an example may rewrite is a copy.
        let transcript = "Scripts/tour.transcript"
        try files.copyItem(at: NacreProcess.root.appending(path: transcript), to: here.appending(path: transcript))
        let run = try NacreProcess(
            ["--no-init", "--overwrite", "Checkpoints/pearl-base.h5"],
            input: command.traits.examples.joined(separator: "\n") + "\n", directory: here)
        #expect(run.code == 0, "\(run.errors)")
    }

    @Test("help methods explains every estimator and every rule that manifold prints")
    func methods() throws {
        let page = try #require(Help.topics["methods"]?().text)
        let words = Set(page.split { " \n:;,".contains($0) }.map(String.init))
        for estimator in DimensionEstimator.all {
            switch estimator {
            case .localPCA(_, let rule), .principalComponents(let rule):
                #expect(words.contains(rule.word), "\(estimator.name)")
                #expect(!words.isDisjoint(with: ["lPCAk-RULE", "PCA-RULE"]))
            default:
                // GRIDE4 is on the page as GRIDEn.
                let letters = estimator.name.prefix { !$0.isNumber }
                let isThere = [estimator.name, "\(letters)k", "\(letters)n"].contains(where: words.contains)
                #expect(isThere, "\(estimator.name)")
            }
        }
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test("each command that can keep outlier first rows says which positions leave them out")
    func firstRows() throws {
        for command in Registry.all where CommandSyntax.of(command).option("--with-first") != nil {
            let page = Help.page(command).split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(page.contains("even if it is an outlier among its rows (help methods)"), "\(command.verb)")
        }
        #expect(Help.page(DirectionCommand.self).contains("--with-first keeps such rows"))
    }

    @Test(
        "the rule about copies of a prompt is found by any of its names",
        arguments: ["copies", "copy", "duplicates", "repeated", "distinct", "twice"])
    func copies(word: String) throws {
        let run = try NacreProcess(["--no-init", "-c", "apropos \(word)"])
        #expect(
            run.code == 0 && run.output.split(separator: "\n").contains { $0.hasPrefix("prompts ") }, "\(run.output)")
    }

    @Test("arguments that stand for something complete by kind")
    func kinds() {
        for command in Registry.all {
            let keys = Set(CommandSyntax.of(command).parameters.map(\.key))
            for key in command.traits.kinds.keys { #expect(keys.contains(key), "\(command.verb): \(key)") }
        }
    }
}
