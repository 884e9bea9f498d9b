/// A log of the commands that changed the session, written as a script that runs as it is.
package final class Recorder {
    private let file: OutputFile

    package init(_ file: OutputFile, seed: UInt64) throws {
        self.file = file
        try file.write("# nacre \(Session.version)\nset seed \(seed)\n")
    }

    package var path: String { file.path }

    package func record(_ line: String) throws { try file.write(line + "\n") }
}
