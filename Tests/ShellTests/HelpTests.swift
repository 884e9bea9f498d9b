import Foundation
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

    @Test("every example of every page runs as printed")
    func examples() throws {
        let folder = TemporaryFolder()
        let model = "Tests/Fixtures/models/tiny-chat.h5"
        var lines = [
            "let checkpoint = \(model)", "let folder = \(folder.path)", "let prompts = Scripts/prompts/open.txt",
            "let modelFolder = Tests/Fixtures/folders/tiny-chat",
            "let questions = Scripts/prompts/facts.jsonl", "let phrases = Scripts/prompts/refusals.txt",
            "base = open $checkpoint", "tuned = open $checkpoint", "questions = prompts $questions",
            "open $checkpoint", "corpus = prompts $prompts", "acts = capture resid_post[*] --prompts corpus",
            "save acts $folder/acts.h5",
        ]
        for command in Registry.all {
            lines += command.traits.examples
            // Whatever an example closed or changed is put back for the next.
            lines += ["mode table", "open $checkpoint"]
        }
        let run = try NacreProcess(["--no-init", "--overwrite"], input: lines.joined(separator: "\n") + "\n")
        #expect(run.code == 0, "\(run.errors)")
    }

    @Test("arguments that stand for something complete by kind")
    func kinds() {
        for command in Registry.all {
            let keys = Set(CommandSyntax(command).parameters.map(\.key))
            for key in command.traits.kinds.keys { #expect(keys.contains(key), "\(command.verb): \(key)") }
        }
    }
}
