internal import CHDF5

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Runs work with libhdf5 on a stranger's file in a child process, so that a crash, a loop or a trampled heap in the
/// library is an error message and not the end of the session.
///
/// The child is a fork: it shares no memory with this process but what was mapped as shared, and answers through a
/// pipe. It is made while this process is outside libhdf5. Of 3,000 damaged files without checksums, 72 crashed
/// libhdf5 1.10.8 and 4 sent it into an endless loop.
struct Isolation {
    let file: String
    /// Processor time for the work.
    let seconds: Int
    /// The largest answer taken.
    private let answerLimit = 256 << 20
    /// Memory the child may take beyond what this process has.
    private let memory = 2 << 30

    init(file: String, seconds: Int) {
        self.file = file
        self.seconds = seconds
    }

    /// Runs `body` in a child and returns its answer, or throws its error.
    func run(_ body: () throws -> [UInt8]) throws -> [UInt8] {
        // A fork made while another thread holds a lock (of the Swift runtime, say) can wait for it for ever. Such a
        // child uses no processor; it is ended, and another one is made and given more time in case the disk is slow.
        for patience in [1, 2, 5, 15] {
            let (answer, status) = try attempt(body, patience: patience)
            if let result = Answer(answer) {
                switch result {
                case .success(let bytes): return bytes
                case .failure(let error): throw error
                }
            }
            let signal = status & 0x7F
            if signal == SIGINT { throw CancellationError() }
            if signal != SIGKILL { throw failure(signal) }
        }
        throw failure(SIGKILL)
    }

    private func attempt(_ body: () throws -> [UInt8], patience: Int) throws -> (answer: [UInt8], status: Int32) {
        let space = addressSpace()
        let (child, reading) = try Library.locked(file: file) {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw HDF5Error.system(file, "no pipe can be made", errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            let child = nh5_fork(UInt32(clamping: seconds), UInt32(clamping: seconds * 4 + 20), space)
            if child == 0 {
                _ = close(ends[0])
                answer(body, ends[1])
            }
            let code = errno
            _ = close(ends[1])
            guard child > 0 else {
                _ = close(ends[0])
                throw HDF5Error.system(file, "no process can be made to read it", code)
            }
            return (child, ends[0])
        }
        let bytes = readAll(reading, from: child, patience)
        _ = close(reading)
        if bytes == nil { _ = kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        // A child that is given up may have ended by itself just then: it is given up all the same.
        guard let bytes else { return ([], SIGKILL) }
        return (bytes, status)
    }

    /// In the child: answers and ends, without anything that this process would do at its end.
    private func answer(_ body: () throws -> [UInt8], _ descriptor: Int32) -> Never {
        let bytes: [UInt8]
        do {
            bytes = Answer.encode(.success(try body()))
        } catch let error as HDF5Error {
            bytes = Answer.encode(.failure(error))
        } catch {
            _exit(1)
        }
        var done = 0
        bytes.withUnsafeBytes { bytes in
            while done < bytes.count {
                let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { _exit(1) }
                done += count
            }
        }
        _exit(0)
    }

    /// Everything until the child closes its end; nil if that is beyond the limit, or if the child does nothing for
    /// so many seconds.
    private func readAll(_ descriptor: Int32, from child: pid_t, _ patience: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        var used = 0.0
        while true {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(patience * 1000))
            if ready < 0, errno == EINTR { continue }
            if ready == 0 {
                let now = nh5_cpu_seconds(child)
                if now >= 0, now - used < 0.1 * Double(patience) { return nil }
                used = now
                continue
            }
            let count = read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return bytes }
            if bytes.count + count > answerLimit { return nil }
            bytes += block[0..<count]
        }
    }

    /// This process's address space plus what the child may add; 0 where it cannot be known.
    private func addressSpace() -> UInt64 {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { _ = close(descriptor) }
        var text = [UInt8](repeating: 0, count: 64)
        let count = max(0, read(descriptor, &text, text.count))
        let digits = String(decoding: text[..<count].prefix { $0 != 0x20 }, as: UTF8.self)
        guard let pages = UInt64(digits) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE))) + UInt64(memory)
    }

    private func failure(_ signal: Int32) -> HDF5Error {
        switch signal {
        case SIGXCPU, SIGALRM, SIGKILL:
            HDF5Error(
                .limit, file: file, problem: "libhdf5 needed more than \(seconds) seconds to read it",
                remedy: "the file is damaged or forged, it is beyond the limit `seconds`, see show limits")
        default:
            HDF5Error(
                .crash, file: file, problem: "libhdf5 crashed on the file (signal \(signal))",
                remedy: "the file is damaged or forged; copy it again from where it came")
        }
    }
}
