import Control
import Language
import TerminalText
import Workbench

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The program gnuplot, which is started without a shell. It reads a script from its standard input and writes a
/// picture to its standard output.
enum Gnuplot {
    static let missing = CommandError(
        "gnuplot is not installed, and it draws picture files",
        remedy: "install the package gnuplot-nox (Homebrew: gnuplot); plot without a file draws in the terminal")

    /// The number of seconds after which gnuplot is stopped.
    private static let timeLimit = 120.0

    /// Checks that gnuplot is installed.
    ///
    /// - Throws: `missing` if no folder of `PATH` has the program.
    static func check() throws {
        let folders = (Environment.value("PATH") ?? "/usr/bin:/bin").split(separator: ":")
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
    ///   cancellation, and `CommandError` with gnuplot's own message if it fails.
    static func run(_ script: String, program: String = "gnuplot", control: RunControl) throws -> [UInt8] {
        // Temporary files without a name take the place of pipes, because then neither side can block the other.
        guard let input = tmpfile(), let output = tmpfile(), let errors = tmpfile() else {
            throw CommandError("can't make a temporary file: \(String(cString: strerror(errno)))")
        }
        defer { for file in [input, output, errors] { fclose(file) } }
        let bytes = Array(script.utf8)
        guard fwrite(bytes, 1, bytes.count, input) == bytes.count, fflush(input) == 0,
            lseek(fileno(input), 0, SEEK_SET) == 0
        else { throw CommandError("can't write a temporary file: \(String(cString: strerror(errno)))") }
        let process = try start(program, input: fileno(input), output: fileno(output), errors: fileno(errors))
        let status = try wait(for: process, control)
        let picture = contents(output)
        guard status == 0, !picture.isEmpty else {
            let message = String(decoding: contents(errors), as: UTF8.self).split(separator: "\n")
            let last = message.last { $0.contains(where: \.isLetter) }?.drop { $0 == " " }
            throw CommandError("gnuplot failed: \(last ?? "it drew nothing")", remedy: "gnuplot 5.2 or later is needed")
        }
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
        guard failure == 0 else { throw CommandError("can't run gnuplot: \(String(cString: strerror(failure)))") }
        return process
    }

    /// The environment that gnuplot receives: the variables that fonts need, a locale that writes numbers with a point,
    /// and no variables that gnuplot itself obeys.
    private static var environment: [String] {
        let kept = ["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "FONTCONFIG_FILE"]
        return kept.compactMap { name in Environment.value(name).map { "\(name)=\($0)" } } + ["LC_ALL=C"]
    }

    /// Waits until the process has ended and returns its exit status. If the run is cancelled or the time limit has
    /// passed, the process is killed first.
    ///
    /// - Throws: `CancellationError` after a cancellation, and `CommandError` after the time limit or if the process
    ///   can't be waited for.
    private static func wait(for process: pid_t, _ control: RunControl) throws -> Int32 {
        let deadline = Clock.seconds() + timeLimit
        var status: Int32 = 0
        func stop() {
            kill(-process, SIGKILL)
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
        }
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { return status }
            if ended < 0, errno != EINTR {
                throw CommandError("lost track of gnuplot: \(String(cString: strerror(errno)))")
            }
            do {
                try control.checkCancellation()
            } catch {
                stop()
                throw error
            }
            guard Clock.seconds() < deadline else {
                stop()
                throw CommandError(
                    "gnuplot took more than \(Int(timeLimit)) s and was stopped", remedy: "draw fewer points")
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
