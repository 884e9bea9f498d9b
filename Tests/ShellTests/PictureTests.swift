import Control
import Foundation
import Language
import LinearAlgebra
import Reports
import TestSupport
import Testing

@testable import Shell

private let hasGnuplot = (try? Gnuplot.check()) != nil

@Suite("Pictures")
struct PictureFileTests {
    private let model = "Tests/Fixtures/models/tiny-chat.h5"
    private let attention = "attention 'one two one two' --layer 0 --head 1 > /dev/null"

    /// A program that stands in for gnuplot.
    private func program(_ text: String, in folder: TemporaryFolder, named name: String = "gnuplot") throws -> String {
        let path = folder.file(name)
        try "#!/bin/sh\n\(text)\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    @Test("are SVG, PNG and PDF, the same bytes each time", .enabled(if: hasGnuplot, "gnuplot-nox is not installed"))
    func formats() throws {
        for (ending, magic) in [("svg", "<?xml"), ("png", "\u{FFFD}PNG"), ("PDF", "%PDF")] {
            let folder = TemporaryFolder()
            let files = ["a", "b"].map { folder.file("\($0).\(ending)") }
            // A time in the file would differ from one second to the next.
            let commands = ["--overwrite", model, "-c", attention, "-c", "plot it \(files[0])", "--allow-shell"]
            let run = try NacreProcess(
                ["--no-init"] + commands + ["-c", "plot it \(files[1])", "-c", "list | sleep 1.1"])
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.output.hasPrefix("drew \(files[0])\ndrew \(files[1])\n"))
            #expect(String(decoding: readBytes(files[0]).prefix(5), as: UTF8.self).hasPrefix(magic))
            _ = try NacreProcess(["--no-init"] + commands)
            #expect(readBytes(files[0]) == readBytes(files[1]))
            #expect(folder.names == ["a.\(ending)", "b.\(ending)"])
        }
    }

    @Test("show hostile labels as they are, and run none", .enabled(if: hasGnuplot, "gnuplot-nox is not installed"))
    func hostile() throws {
        let folder = TemporaryFolder()
        let mark = folder.file("touched")
        let labels = [
            "\"; system(\"touch \(mark)\")", "`touch \(mark)`", "'; system('touch \(mark)') #", "\\033[31m",
            "_x^y{z}", "@", "%s %n %g", "</text><script>", "!touch \(mark)", "a\\", "日本", "1 \"0.15\"",
        ]
        let grid = Grid(
            labels[0], rows: .init(labels[1], labels: labels.map { String($0.prefix(24)) }),
            columns: .init(labels[2], labels: labels.map { String($0.prefix(24)) }), value: .init("@", unit: "`id`"),
            values: labels.flatMap { _ in labels.indices.map { Double($0) } })
        let series = Series(
            labels[1], x: .init(labels[0]), y: .init(labels[2]), points: [.init(x: 0, y: 1), .init(x: 1, y: 2)])
        for format in GnuplotScript.Format.allCases {
            for report in [Report(grids: [grid]), Report(title: labels[1], series: [series], grids: [grid, grid])] {
                let picture = try Gnuplot.run(
                    GnuplotScript(report, format: format).text, control: RunControl { _, _, _ in })
                guard format == .svg else { continue }
                let text = String(decoding: picture, as: UTF8.self)
                for shown in ["\\033[31m", "_x^y{z}", "%s %n %g", "日本", "@ (`id`)", "a\\", "1 \"0.15\""] {
                    #expect(text.contains("<text>\(shown)</text>"), "\(shown)")
                }
                #expect(!text.contains("<script"))
            }
        }
        #expect(!FileManager.default.fileExists(atPath: mark))
    }

    @Test("without gnuplot the message names the package, and the terminal still draws")
    func withoutGnuplot() throws {
        let folder = TemporaryFolder()
        let run = try NacreProcess(
            [
                "--no-init", "--keep-going", model, "-c", attention, "-c", "plot it \(folder.file("a.svg"))", "-c",
                "plot",
            ],
            environment: ["PATH": folder.path])
        #expect(run.code == 1)
        #expect(
            run.errors == """
                nacre: gnuplot is not installed, and it draws picture files; install the package gnuplot-nox \
                (Homebrew: gnuplot); plot without a file draws in the terminal

                """)
        #expect(run.output.contains("probability\n"))
        #expect(folder.names.isEmpty)
        // What takes long is not begun if its picture can't be drawn.
        let early = try NacreProcess(
            ["--no-init", model, "-c", "attention 'one two' --plot \(folder.file("a.svg"))"],
            environment: ["PATH": folder.path])
        #expect(early.output.isEmpty && early.errors.contains("gnuplot-nox"))
    }

    @Test("a file that exists stays, unless that was allowed", .enabled(if: hasGnuplot, "gnuplot-nox is not installed"))
    func existing() throws {
        let folder = TemporaryFolder()
        let file = folder.file("a.svg")
        writeBytes(Array("mine".utf8), file)
        let refused = try NacreProcess(["--no-init", model, "-c", attention, "-c", "plot it \(file)"])
        #expect(refused.code == 1)
        #expect(
            refused.errors.contains(
                "can't write \(file): File exists; choose another name, or start nacre with --overwrite"))
        #expect(readBytes(file) == Array("mine".utf8))
        let allowed = try NacreProcess(["--no-init", "--overwrite", model, "-c", attention, "-c", "plot it \(file)"])
        #expect(allowed.code == 0, "\(allowed.errors)")
        #expect(readBytes(file).count > 1000)
        #expect(folder.names == ["a.svg"])
    }

    @Test("when gnuplot fails its message is told and no file is left")
    func failing() throws {
        let folder = TemporaryFolder()
        _ = try program("cat > /dev/null; echo partial; echo '  line 3: bad \u{1B}[31mthing' >&2; exit 1", in: folder)
        let run = try NacreProcess(
            ["--no-init", model, "-c", attention, "-c", "plot it \(folder.file("a.svg"))"],
            environment: ["PATH": "\(folder.path):/usr/bin:/bin"])
        #expect(run.code == 1)
        #expect(run.errors.contains("gnuplot failed: line 3: bad \\e[31mthing"))
        #expect(folder.names == ["gnuplot"])
        _ = try program("exit 0", in: folder)
        let silent = try NacreProcess(
            ["--no-init", model, "-c", attention, "-c", "plot it \(folder.file("a.svg"))"],
            environment: ["PATH": "\(folder.path):/usr/bin:/bin"])
        #expect(silent.errors.contains("gnuplot failed: it drew nothing"))
        #expect(folder.names == ["gnuplot"])
    }

    @Test("Ctrl-C stops gnuplot and what it started")
    func interrupted() throws {
        let folder = TemporaryFolder()
        let slow = try program(
            "(sleep 2; touch \(folder.file("alive"))) & touch \(folder.file("started")); wait", in: folder)
        let control = RunControl { _, _, _ in }
        Thread.detachNewThread {
            while !folder.names.contains("started") { usleep(1000) }
            control.cancel()
        }
        #expect(throws: CancellationError.self) { try Gnuplot.run("", program: slow, control: control) }
        usleep(2_300_000)
        #expect(folder.names == ["gnuplot", "started"])
    }

    @Test("for programs the numbers of the picture are printed, all digits")
    func data() throws {
        func lines(_ mode: String) throws -> [String] {
            let run = try NacreProcess(
                [
                    "--no-init", model, "-c", "attention 'one two one two' --score previous > /dev/null", "-c",
                    "mode \(mode)", "-c", "plot",
                ])
            #expect(run.code == 0, "\(run.errors)")
            return run.output.split(separator: "\n").map(String.init)
        }
        let csv = try lines("csv")
        #expect(csv[0] == "layer,0,1,2,3" && csv.count == 3)
        let values = csv[1].split(separator: ",").dropFirst().map(String.init)
        #expect(values.allSatisfy { $0.count > 12 && (Double($0) ?? -1) > 0 })
        #expect(try lines("jsonl")[1].contains("\"values\": [\(values.joined(separator: ", "))]"))
        #expect(try lines("markdown").contains("| 0 | \(values.joined(separator: " | ")) |"))
        #expect(try lines("json").contains { $0.contains(values[3]) })
    }

    @Test("the words after --plot: the next one is its file, whatever its ending, unless it is an option")
    func optionalFile() throws {
        let syntax = CommandSyntax.of(AttentionCommand.self)
        func arguments(_ words: [ParsedLine.Word]) throws -> [String] { try syntax.arguments(words, verb: "attention") }
        #expect(try arguments([.init("--plot"), .init("a b", wasQuoted: true)]) == ["--plot=a b"])
        #expect(try arguments([.init("text"), .init("--plot")]) == ["--plot=-", "text"])
        #expect(
            try arguments([.init("--plot"), .init("x y.svg", wasQuoted: true), .init("t")]) == ["--plot=x y.svg", "t"])
        #expect(try arguments([.init("--plot"), .init("x.jpg"), .init("t")]) == ["--plot=x.jpg", "t"])
        #expect(try arguments([.init("--plot=x"), .init("t")]) == ["--plot=x", "t"])
        #expect(try arguments([.init("--plot"), .init("--layer"), .init("1")]) == ["--plot=-", "--layer=1"])
        #expect(try arguments([.init("text"), .init("--plot"), .init("figure")]) == ["--plot=figure", "text"])
    }

    @Test("a PDF's date becomes 1970, and nothing else changes")
    func date() {
        var bytes = Array("%PDF /CreationDate (D:20261124115037Z) x".utf8)
        bytes.removePDFDate()
        #expect(bytes == Array("%PDF /CreationDate (D:19700101000000Z) x".utf8))
        for text in ["", "%PDF", "/CreationDate (D:2026", "/CreationDate (D:unknownunknown)"] {
            var bytes = Array(text.utf8)
            bytes.removePDFDate()
            #expect(bytes.count == text.utf8.count)
        }
    }
}
