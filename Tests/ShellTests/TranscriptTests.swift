import Foundation
import TestSupport
import Testing

/// Sessions with their expected output: Tests/Transcripts/*.transcript.
///
/// A line `name> command` is a command; what follows it is what it must print, errors included. To write the files
/// anew from what nacre prints now: NACRE_UPDATE_TRANSCRIPTS=1 swift test --filter TranscriptTests/replay; then read the
/// diff.
@Suite("Transcripts")
struct TranscriptTests {
    static let folder = NacreProcess.root.appending(path: "Tests/Transcripts")
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".transcript") }.sorted()

    @Test("there are some")
    func some() { #expect(Self.names.count >= 5) }

    @Test("print what they say", arguments: names)
    func replay(name: String) throws {
        let file = Self.folder.appending(path: name)
        let expected = try String(contentsOf: file, encoding: .utf8)
        let prompt = /^[A-Za-z_][A-Za-z0-9_.-]*(?:\[.*?\])?> (.*)$/
        let commands = expected.split(separator: "\n", omittingEmptySubsequences: false)
            .compactMap { try? prompt.firstMatch(in: String($0))?.1 }
        let run = try NacreProcess(
            ["--no-init", "--echo", "--keep-going", "--threads", "2"],
            input: commands.joined(separator: "\n") + "\n", mergesErrors: true)
        if ProcessInfo.processInfo.environment["NACRE_UPDATE_TRANSCRIPTS"] != nil {
            try run.output.write(to: file, atomically: true, encoding: .utf8)
        } else {
            #expect(run.output == expected)
        }
    }

    @Test("hold when replayed, to the letter", arguments: names)
    func holds(name: String) throws {
        let run = try NacreProcess([
            "--no-init", "--threads", "2", "-c", "replay Tests/Transcripts/\(name) --tolerance 0",
        ])
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        #expect(run.output.hasPrefix("Tests/Transcripts/\(name) holds\n"))
    }
}
