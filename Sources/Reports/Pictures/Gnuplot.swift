package import Control
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The reason why a picture can't be drawn, and what mends it.
package struct PictureError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    package let remedy: String?

    init(_ problem: String, remedy: String? = nil) {
        self.problem = problem
        self.remedy = remedy
    }

    package var description: String { remedy.map { "\(problem); \($0)" } ?? problem }
}

/// The program gnuplot, which is started without a shell. It reads a script from its standard input and writes a
/// picture to its standard output.
package enum Gnuplot {
    package static let missing = PictureError(
        "gnuplot is not installed, and it draws picture files",
        remedy: "install the package gnuplot-nox (Homebrew: gnuplot); plot without a file draws in the terminal")

    /// The time after which gnuplot is stopped.
    private static let timeLimit = Duration.seconds(120)

    /// Checks that gnuplot is installed.
    ///
    /// - Throws: `missing` if no folder of `PATH` has the program.
    package static func check() throws {
        let folders = (variable("PATH") ?? "/usr/bin:/bin").split(separator: ":")
        guard folders.contains(where: { access("\($0)/gnuplot", X_OK) == 0 }) else { throw missing }
    }

    /// Runs a script in gnuplot.
    ///
    /// - Parameters:
    ///   - script: The commands that gnuplot reads.
    ///   - program: A name that is looked up in `PATH`, or a path.
    ///   - control: The control of the running command, whose cancellation stops gnuplot.
    /// - Returns: The bytes of the picture.
    /// - Throws: `missing` if there is no such program, `CancellationError` after gnuplot has been stopped by a
    ///   cancellation, and `PictureError` with gnuplot's own message if it fails.
    package static func run(_ script: String, program: String = "gnuplot", control: RunControl) throws -> [UInt8] {
        // Temporary files without a name take the place of pipes, because then neither side can block the other.
        guard let input = tmpfile(), let output = tmpfile(), let errors = tmpfile() else {
            throw PictureError("can't make a temporary file: \(String(cString: strerror(errno)))")
        }
        defer { for file in [input, output, errors] { fclose(file) } }
        let bytes = Array(script.utf8)
        guard fwrite(bytes, 1, bytes.count, input) == bytes.count, fflush(input) == 0,
            lseek(fileno(input), 0, SEEK_SET) == 0
        else { throw PictureError("can't write a temporary file: \(String(cString: strerror(errno)))") }
        let process = try start(program, input: fileno(input), output: fileno(output), errors: fileno(errors))
        let status = try wait(for: process, control)
        let picture = contents(output)
        guard status == 0, !picture.isEmpty else {
            let message = String(decoding: contents(errors), as: UTF8.self).split(separator: "\n")
            let last = message.last { $0.contains(where: \.isLetter) }?.drop { $0 == " " }
            throw PictureError("gnuplot failed: \(last ?? "it drew nothing")", remedy: "gnuplot 5.2 or later is needed")
        }
        return picture
    }

    /// Draws a report. The same picture gives the same bytes each time.
    ///
    /// - Throws: as `run` does.
    package static func picture(
        _ report: Report, _ format: GnuplotScript.Format, control: RunControl
    ) throws -> [UInt8] {
        var picture = try run(GnuplotScript(report, format: format).text, control: control)
        if format == .pdf { picture.removePDFDate() }
        return picture
    }

    private static func start(_ program: String, input: Int32, output: Int32, errors: Int32) throws -> pid_t {
        #if canImport(Glibc)
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #else
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        // None of these three files has a standard descriptor itself, because the standard descriptors are open from
        // the start.
        for (source, target) in [(input, STDIN_FILENO), (output, STDOUT_FILENO), (errors, STDERR_FILENO)] {
            posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        // Gnuplot has a process group of its own, so that Ctrl-C reaches only this process. The signals that this
        // process ignores or handles have their default effect in gnuplot.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))

        // The option -d keeps start-up files of the user from changing the picture.
        let words: [String] = ["gnuplot", "-d", "-"]
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var process = pid_t()
        let failure = posix_spawnp(&process, program, &actions, &attributes, &arguments, &variables)
        if failure == ENOENT { throw missing }
        guard failure == 0 else { throw PictureError("can't run gnuplot: \(String(cString: strerror(failure)))") }
        return process
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The environment that gnuplot receives: the variables that fonts need, a locale that writes numbers with a point,
    /// and no variables that gnuplot itself obeys.
    private static var environment: [String] {
        let kept = ["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "FONTCONFIG_FILE"]
        return kept.compactMap { name in variable(name).map { "\(name)=\($0)" } } + ["LC_ALL=C"]
    }

    /// Waits until the process has ended and returns its exit status. If the run is cancelled or the time limit has
    /// passed, the process is killed first.
    ///
    /// - Throws: `CancellationError` after a cancellation, and `PictureError` after the time limit or if the process
    ///   can't be waited for.
    private static func wait(for process: pid_t, _ control: RunControl) throws -> Int32 {
        let deadline = ContinuousClock.now + timeLimit
        var status: Int32 = 0
        func stop() {
            kill(-process, SIGKILL)
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
        }
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { return status }
            if ended < 0, errno != EINTR {
                throw PictureError("lost track of gnuplot: \(String(cString: strerror(errno)))")
            }
            do {
                try control.checkCancellation()
            } catch {
                stop()
                throw error
            }
            guard ContinuousClock.now < deadline else {
                stop()
                throw PictureError(
                    "gnuplot took more than \(timeLimit.components.seconds) s and was stopped",
                    remedy: "draw fewer points")
            }
            usleep(5000)
        }
    }

    private static func contents(_ file: UnsafeMutablePointer<FILE>) -> [UInt8] {
        var status = stat()
        guard fstat(fileno(file), &status) == 0, status.st_size > 0 else { return [] }
        let size = Int(status.st_size)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let step = pread(fileno(file), buffer.baseAddress! + count, size - count, off_t(count))
                if step < 0, errno == EINTR { continue }
                if step <= 0 { break }
                count += step
            }
        }
    }
}

extension [UInt8] {
    /// Replaces the time at which cairo made a PDF with 1970, so that the same picture always gives the same bytes.
    package mutating func removePDFDate() {
        let key = Array("/CreationDate (D:".utf8)
        guard let found = indices.first(where: { self[$0] == key[0] && self[$0...].starts(with: key) }) else { return }
        for (offset, digit) in "19700101000000".utf8.enumerated() {
            let place = found + key.count + offset
            guard place < count, (0x30...0x39).contains(self[place]) else { return }
            self[place] = digit
        }
    }
}
