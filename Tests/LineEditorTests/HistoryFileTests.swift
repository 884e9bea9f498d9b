import Foundation
import Testing

@testable import LineEditor

/// A folder that goes when the test has ended.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/lineeditor-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String = "") throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")), as: UTF8.self)
    }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
    }
}

@Suite struct HistoryFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func keepsWhatIsAppended() throws {
        let file = HistoryFile(path: "\(folder.path)/state/nacre/history")
        #expect(try file.load() == [])
        let commands = ["open a.h5", "let x = 'a\n\tb\n\n'", "next \"日本\""]
        for command in commands { try file.append(command) }
        #expect(try file.load() == commands)
        #expect(try folder.mode("state/nacre/history") == 0o600)
        #expect(try folder.mode("state/nacre") == 0o700)
    }

    @Test func makesAnOlderFilePrivate() throws {
        try folder.write("history", "a\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder.path)/history")
        try HistoryFile(path: "\(folder.path)/history").append("b")
        #expect(try folder.mode("history") == 0o600)
    }

    @Test func cutsDownToTheNewest() throws {
        try folder.write("history", (0..<30).map { "command \($0)\n" }.joined())
        let file = HistoryFile(path: "\(folder.path)/history")
        #expect(try file.load(limit: 3) == ["command 27", "command 28", "command 29"])
        #expect(try folder.read("history") == "command 27\ncommand 28\ncommand 29\n")
        #expect(try folder.mode("history") == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["history"])
    }

    @Test func readsOnlyTheEndOfAHugeFile() throws {
        let line = String(repeating: "x", count: 1023) + "\n"
        try folder.write("history", String(repeating: line, count: (HistoryFile.byteLimit >> 10) + 5) + "last\n")
        let entries = try HistoryFile(path: "\(folder.path)/history").load()
        #expect(entries.last == "last")
        #expect(entries.first?.count == 1023)
        #expect(entries.count <= HistoryFile.byteLimit >> 10)
    }

    @Test func aHugeLineIsNoTrouble() throws {
        try folder.write("history", String(repeating: "x", count: HistoryFile.byteLimit + 10))
        #expect(try HistoryFile(path: "\(folder.path)/history").load() == [])
    }

    @Test func damagedTextIsNoTrouble() {
        #expect(HistoryFile.entries([0x61, 0xFF, 0x0A, 0x0A, 0x00, 0x0A, 0x62]) == ["a\u{FFFD}", "b"])
        #expect(HistoryFile.entries(Array("\tfirst\nsecond\n\tmore".utf8)) == ["\tfirst", "second\nmore"])
    }

    @Test func whatIsNoFileKeepsNothing() throws {
        let null = HistoryFile(path: "/dev/null")
        try null.append("a")
        #expect(try null.load() == [])
        let pipe = "\(folder.path)/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        #expect(try HistoryFile(path: pipe).load() == [])
    }

    @Test func saysWhyItCannotBeKept() throws {
        try folder.write("file")
        let path = "\(folder.path)/file/history"
        #expect(throws: LineEditorError.history(path: path, operation: "write", reason: "Not a directory")) {
            try HistoryFile(path: path).append("a")
        }
    }

    @Test func someCommandsAreNotKept() {
        #expect(LineEditor.isWorthKeeping("info", after: "open a"))
        #expect(!LineEditor.isWorthKeeping("info", after: "info"))
        #expect(!LineEditor.isWorthKeeping(" info", after: nil))
        #expect(!LineEditor.isWorthKeeping("", after: nil))
        #expect(!LineEditor.isWorthKeeping("a\0b", after: nil))
        #expect(!LineEditor.isWorthKeeping("\n \n", after: nil))
    }
}

@Suite struct FileCompletionTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["b.h5", "a b.h5", "a.txt", ".hidden"] { try folder.write(name) }
        try FileManager.default.createDirectory(atPath: "\(folder.path)/apples", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/azure", withDestinationPath: "\(folder.path)/apples")
    }

    @Test func listsInOrderWithFoldersMarked() {
        let found = FileCompletion.candidates(prefix: "\(folder.path)/")
        #expect(found.map(\.label) == ["a b.h5", "a.txt", "apples/", "azure/", "b.h5"])
        #expect(found.map(\.isPartial) == [false, false, true, true, false])
        #expect(found.first?.text == "\(folder.path)/a b.h5")
    }

    @Test func hiddenFilesOnlyIfAsked() {
        #expect(FileCompletion.candidates(prefix: "\(folder.path)/.").map(\.label) == [".hidden"])
        #expect(FileCompletion.candidates(prefix: "\(folder.path)/.h").map(\.label) == [".hidden"])
    }

    @Test func filesMayBeFiltered() {
        let found = FileCompletion.candidates(prefix: "\(folder.path)/a") { $0.hasSuffix(".h5") }
        #expect(found.map(\.label) == ["a b.h5", "apples/", "azure/"])
    }

    @Test func nothingWhereThereIsNothing() {
        #expect(FileCompletion.candidates(prefix: "\(folder.path)/none/x").isEmpty)
        #expect(FileCompletion.candidates(prefix: "\(folder.path)/b.h5/").isEmpty)
        #expect(FileCompletion.candidates(prefix: "~no-such-user/").isEmpty)
    }

    @Test func tildeIsTheHomeFolder() throws {
        let home = String(cString: try #require(getenv("HOME")))
        #expect(FileCompletion.expandingTilde("~/x") == home + "/x")
        #expect(FileCompletion.expandingTilde("~") == home)
        #expect(FileCompletion.expandingTilde("~root/x") == "/root/x")
        #expect(FileCompletion.expandingTilde("a~") == "a~")
        #expect(FileCompletion.expandingTilde("~no-such-user/x") == "~no-such-user/x")
        #expect(FileCompletion.candidates(prefix: "~") == [.init("~/", isPartial: true)])
        #expect(FileCompletion.candidates(prefix: "~/").allSatisfy { $0.text.hasPrefix("~/") })
    }
}
