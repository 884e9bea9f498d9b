import Foundation
import TestSupport
import Testing

/// Kinds B, C and G, by the real binary: what lines from a file may do, and how text files are written.
@Suite("Kinds B, C, G, I, M: rights and written files")
struct RightsTests {
    private let folder = TemporaryFolder()

    private func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
        return folder.file(name)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("kind C: a script adds to no file that it did not make, whatever it is called")
    func appends() throws {
        let old = try write("old", "precious\n")
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: old)
        try FileManager.default.linkItem(atPath: old, toPath: folder.file("hard"))
        for name in ["old", "link", "hard"] {
            let run = try NacreProcess(["--no-init", "-c", "mode >> \(folder.file(name))"])
            #expect(run.code == 1 && run.errors.contains("a script adds only to files that it made"), "\(run.errors)")
        }
        #expect(try text(old) == "precious\n")
        let own = folder.file("own")
        let run = try NacreProcess(
            ["--no-init"],
            input: "mode >> \(own)\nmode >> \(own)\nmode > \(folder.file("b"))\nmode >> \(folder.file("b"))\n")
        #expect(run.code == 0, "\(run.errors)")
        #expect(try text(own) == "table\ntable\n" && text(folder.file("b")) == "table\ntable\n")
        #expect(try NacreProcess(["--no-init", "--overwrite", "-c", "mode >> \(old)"]).code == 0)
        #expect(try text(old) == "precious\ntable\n")
    }

    @Test("kind C: a script writes to no pipe and no device, but to /dev/null and its own standard output")
    func devices() throws {
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [pipe, "/dev/full", "/dev/zero"] {
            for sign in [">", ">>"] {
                let run = try NacreProcess(["--no-init", "-c", "mode \(sign) \(path)"])
                #expect(run.code == 1 && run.errors.contains("writes to no device and no pipe"), "\(run.errors)")
            }
        }
        let run = try NacreProcess(
            ["--no-init"],
            input:
                "mode > /dev/null\nmode >> /dev/null\nmode > /dev/stdout\nmode >> /dev/stdout\nmode > /dev/stderr\nmode\n"
        )
        #expect(run.code == 0 && run.output == "table\ntable\ntable\n" && run.errors == "table\n", "\(run.errors)")
        let full = try NacreProcess(["--no-init", "--overwrite", "-c", "mode > /dev/full"])
        #expect(full.code == 1 && full.errors.contains("No space left"))
    }

    @Test("kind G: a log takes its name with its first line, and until then the old file is whole")
    func logs() throws {
        let old = try write("old.txt", "precious\n")
        let full = try NacreProcess(
            ["--no-init", "--overwrite", "--keep-going"],
            input: "output \(old)\nnonsense\noutput\nmode\n")
        #expect(full.output == "table\n")
        #expect(try text(old) == "")
        let kept = try write("kept.txt", "precious\n")
        let killed = try NacreProcess(
            ["--no-init", "--overwrite", "--allow-shell"], input: "output \(kept)\nlist | kill -9 $PPID\n")
        #expect(killed.code == 128 + 9)
        #expect(try text(kept) == "precious\n")
        let ended = try NacreProcess(["--no-init"], input: "output \(folder.file("empty.txt"))\n")
        #expect(ended.code == 0)
        #expect(try text(folder.file("empty.txt")) == "")
        let grown = try NacreProcess(
            ["--no-init", "--allow-shell"], input: "output \(folder.file("grown.txt"))\nmode\nlist | kill -9 $PPID\n")
        #expect(grown.code == 128 + 9)
        #expect(try text(folder.file("grown.txt")) == "table\n")
    }

    @Test("kind I: what a killed run has left blocks no other, and is told of by its name")
    func leftovers() throws {
        let target = folder.file("target.txt")
        for name in (1...400).map({ "\(target).\($0).tmp" }) {
            _ = FileManager.default.createFile(atPath: name, contents: nil)
        }
        for _ in 0..<3 { #expect(try NacreProcess(["--no-init", "--overwrite", "-c", "mode > \(target)"]).code == 0) }
        #expect(folder.names.filter { $0.hasPrefix(".") } == [])
    }

    @Test("kind B: what the command line gives scripts, a sourced script has too, and no more")
    func sources() throws {
        let victim = try write("victim", "precious\n")
        let inner = try write("inner.nacre", "mode > \(victim)\n")
        let shell = try write("shell.nacre", "list | touch \(folder.file("pwned"))\n")
        for script in [inner, shell] {
            let outer = try write("outer.nacre", "source \(script)\n")
            #expect(try NacreProcess(["--no-init", "-f", outer]).code != 0)
            #expect(try NacreProcess(["--no-init"], input: "source \(script)\n").code != 0)
            for option in ["--overwrite", "--allow-shell"] {
                let run = try NacreProcess(["--no-init", "-c", "source \(script) \(option)"])
                #expect(
                    run.code == 2 && run.errors.contains("a script can't give another one \(option)"), "\(run.errors)")
            }
        }
        #expect(try text(victim) == "precious\n" && !folder.names.contains("pwned"))
        #expect(try NacreProcess(["--no-init", "--overwrite", "-c", "source \(inner)"]).code == 0)
        #expect(try text(victim) == "table\n")
    }

    @Test("kind B: the rc file may do what the user may, and gives a file that it sources only what it says")
    func initFile() throws {
        let (victim, other) = (try write("victim", "precious\n"), try write("other", "precious\n"))
        let inner = try write("inner.nacre", "mode > \(victim)\n")
        try FileManager.default.createDirectory(atPath: folder.file("nacre"), withIntermediateDirectories: true)
        func run(_ rc: String) throws -> NacreProcess {
            _ = try write("nacre/rc", rc)
            return try NacreProcess(["-c", "mode"], environment: ["XDG_CONFIG_HOME": folder.path])
        }
        let refused = try run("mode > \(other)\nsource \(inner)\n")
        #expect(refused.errors.contains("File exists"), "\(refused.errors)")
        #expect(try text(other) == "table\n" && text(victim) == "precious\n")
        #expect(try run("source \(inner) --overwrite\n").errors == "")
        #expect(try text(victim) == "table\n")
    }

    @Test("kind M: a script ends when nobody reads what it prints, with 141 and without a word")
    func brokenPipe() throws {
        let script = try write(
            "long.nacre", Array(repeating: "help capture\n", count: 400).joined() + "mode > \(folder.file("after"))\n")
        for start in [
            "-f \(script)", "--keep-going -f \(script)", "--echo -f \(script)", "< \(script)", "-c 'source \(script)'",
        ] {
            let run = try NacreProcess.shell(
                "\"$NACRE\" --no-init \(start) | head -1 > /dev/null; exit ${PIPESTATUS[0]}")
            #expect(run.code == 141 && run.errors.isEmpty, "\(start): \(run)")
            #expect(!folder.names.contains("after"))
        }
    }

    @Test("kind H: usage errors and messages show control characters as escapes")
    func escapes() throws {
        for arguments in [["--x\u{1B}]52;c;eA\u{07}"], ["-c", "nonsense\u{1B}[2J"], ["-f", "none\u{1B}[2J"]] {
            let run = try NacreProcess(["--no-init"] + arguments)
            #expect(run.code != 0 && !run.errors.contains("\u{1B}") && !run.errors.contains("\u{07}"), "\(run.errors)")
        }
    }

    @Test("csv that a spreadsheet would compute is guarded if the user says so")
    func formulas() throws {
        let prompts = try write("p.txt", "=1+1\n-2\nplain\n")
        let run = try NacreProcess(
            ["--no-init", "--mode", "csv"],
            input: "p = prompts \(prompts)\nset csv-guard on\nprint p\nset csv-guard off\nprint p\n")
        #expect(
            run.output.contains("'=1+1") && run.output.contains("'-2") && run.output.contains("\n0,=1+1")
                || run.output.contains(",=1+1"))
    }
}
