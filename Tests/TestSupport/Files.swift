import Foundation

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A folder that is removed with everything in it at the end of a test.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/nacre-test-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
    }

    /// The path of a file in it.
    package func file(_ name: String) -> String { path + "/" + name }

    package var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// The path of a file of the repository.
package func repositoryFile(_ path: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: path).path
}

/// One of the malformed files that Scripts/goldens/odd_files.py makes.
package func oddFile(_ name: String) -> String { repositoryFile("Tests/Fixtures/odd/\(name).h5") }

package func readBytes(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    _ = read(descriptor, &bytes, bytes.count)
    return bytes
}

package func writeBytes(_ bytes: [UInt8], _ path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    defer { close(descriptor) }
    _ = write(descriptor, bytes, bytes.count)
}

/// One of the folders that Scripts/goldens/odd_folders.py makes, or what is in it.
package func modelFolder(_ name: String) -> String { repositoryFile("Tests/Fixtures/folders/\(name)") }

/// A folder's copy.
package func copyFolder(_ path: String, to copy: String) throws {
    try FileManager.default.copyItem(atPath: path, toPath: copy)
}
