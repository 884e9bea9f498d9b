internal import CHDF5
import Synchronization

/// libhdf5, one thread at a time.
enum Library {
    /// Result of the first calls; nil before them.
    private static let started = Mutex<Int32?>(nil)

    /// Runs `body` with the library to itself. Not reentrant: package entry points take it, nothing below them.
    static func locked<Value: Sendable>(file: String, _ body: () throws -> Value) throws -> Value {
        try started.withLock { state in
            if let status = state {
                if status == 0 { nh5_silence() }
            } else {
                state = nh5_start()
            }
            guard state == 0 else {
                throw HDF5Error(
                    .library, file: file, problem: "libhdf5 could not be made safe (step \(-(state ?? 0)))",
                    remedy: "install libhdf5 1.10.7 or later, built with its plugin interface")
            }
            return try body()
        }
    }

    /// The innermost message of the last failed call on this thread; empty if there is none.
    static func detail() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            nh5_innermost_error(start)
            return String(cString: start)
        }
    }
}

/// An open HDF5 identifier, closed when the last reference goes. Made and released under the library's lock.
final class Handle {
    let id: hid_t
    private let close: @convention(c) (hid_t) -> herr_t
    private var isOpen = true

    init(_ id: hid_t, _ close: @escaping @convention(c) (hid_t) -> herr_t) {
        self.id = id
        self.close = close
    }

    /// Closes now and says whether that worked.
    func closeNow() -> Bool {
        guard isOpen else { return true }
        isOpen = false
        return close(id) >= 0
    }

    deinit {
        if isOpen { _ = close(id) }
    }
}

/// Names the file and object that calls are about, and turns failures into errors.
struct Context {
    let file: String
    var object: String?

    func check<Number: SignedInteger>(_ result: Number, _ what: String) throws -> Number {
        if result < 0 { throw failure(what) }
        return result
    }

    func handle(
        _ id: hid_t, _ close: @escaping @convention(c) (hid_t) -> herr_t, _ what: String
    ) throws -> Handle {
        Handle(try check(id, what), close)
    }

    func failure(_ what: String) -> HDF5Error {
        let detail = Library.detail()
        let reason = detail.isEmpty ? "" : " (libhdf5: \(detail))"
        return error(.library, "\(what) failed\(reason)", "the file is damaged; copy it again from where it came")
    }

    func error(_ kind: HDF5Error.Kind, _ problem: String, _ remedy: String) -> HDF5Error {
        HDF5Error(kind, file: file, object: object, problem: problem, remedy: remedy)
    }
}
