package import Control
package import Geometry
package import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Calibrations of a session, and of earlier ones: `calibration-N.txt` in a folder, one file for each number of points. A file that can't be read, or that is not what nacre writes, is measured anew.
package final class CalibrationCache {
    private var known: [Int: Calibration] = [:]

    private let folder: String?

    /// - Parameter folder: where they are kept; nil: nowhere.
    package init(folder: String?) { self.folder = folder }

    /// Calibrations are shared by sets of nearly the same size, within 2.5 %: two digits of N, and a half below 20.
    package static func points(near count: Int) -> Int {
        var unit = 1
        while count / unit >= 100 { unit *= 10 }
        if unit == 1 { return count }
        let half = max(1, count / unit < 20 ? unit / 2 : unit)
        return (count + half / 2) / half * half
    }

    package func calibration(count: Int, width: Int, pool: ThreadPool, control: RunControl) throws -> Calibration {
        let count = Self.points(near: count)
        let before = known[count] ?? read(count)
        let calibration = try Calibration(
            count: count, width: width, extending: before, pool: pool, control: control)
        if calibration != before { write(calibration) }
        known[count] = calibration
        return calibration
    }

    private func path(_ count: Int) -> String? { folder.map { "\($0)/calibration-\(count).txt" } }

    private func read(_ count: Int) -> Calibration? {
        guard let path = path(count), let text = try? TextFile.read(path), let found = Calibration(text: text),
            found.count == count
        else { return nil }
        return found
    }

    /// Written beside its place and renamed, so that two sessions at once leave one whole file; without a folder to
    /// write to, the session alone remembers.
    private func write(_ calibration: Calibration) {
        guard let folder, let path = path(calibration.count) else { return }
        if let slash = folder.lastIndex(of: "/") { mkdir(String(folder[..<slash]), 0o700) }
        mkdir(folder, 0o700)
        var temporary = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&temporary)
        guard descriptor >= 0 else { return }
        let bytes = Array(calibration.text.utf8)
        var written = 0
        while written < bytes.count {
            let step = bytes[written...].withUnsafeBytes { put(descriptor, $0.baseAddress!, $0.count) }
            if step < 0, errno == EINTR { continue }
            if step <= 0 { break }
            written += step
        }
        let isClosed = close(descriptor) == 0
        if written < bytes.count || !isClosed || rename(temporary, path) != 0 { unlink(temporary) }
    }

    private func put(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #else
            Darwin.write(descriptor, bytes, count)
        #endif
    }
}
