package import Control
package import Geometry
package import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The calibrations of dimension estimators, kept for a session and, in a folder, for later ones: one file
/// `calibration-N.txt` for each number of points N. One is measured anew if its file can't be read or is not one that
/// nacre writes.
package final class CalibrationCache {
    private var known: [Int: Calibration] = [:]

    private let folder: String?

    /// Makes a cache of the dimension estimators' calibrations.
    ///
    /// - Parameter folder: the folder of the files; nil keeps the calibrations in memory only.
    package init(folder: String?) { self.folder = folder }

    /// Rounds a number of points, by at most 2.5 %, so that sets of nearly the same size share a calibration: to two
    /// significant digits, and to half steps of the second digit where both are below 20. Fewer than 100 points are not
    /// rounded.
    package static func points(near count: Int) -> Int {
        var unit = 1
        while count / unit >= 100 { unit *= 10 }
        if unit == 1 { return count }
        let half = max(1, count / unit < 20 ? unit / 2 : unit)
        return (count + half / 2) / half * half
    }

    /// Returns the dimension estimators' calibration for sets of about `count` points with `width` coordinates; a known
    /// calibration is extended if the width needs it.
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

    /// Writes a calibration's file under another name and renames it, so that two sessions at once leave one whole
    /// file. Without a folder that can be written to, only the session keeps the calibration.
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
