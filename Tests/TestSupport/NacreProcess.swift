package import Foundation

/// The real binary, run as a user runs it.
package struct NacreProcess {
    package let output: String
    package let errors: String
    package let code: Int32

    /// The top of the repository.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Beside the test bundle, or where `NACRE_BINARY` says.
    package static let binary: URL = {
        if let path = ProcessInfo.processInfo.environment["NACRE_BINARY"] { return URL(filePath: path) }
        #if canImport(Darwin)
            let folder = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL
                .deletingLastPathComponent()
        #else
            let folder = Bundle.main.bundleURL
        #endif
        return folder.appending(path: "nacre")
    }()

    /// - Parameters:
    ///   - mergesErrors: errors go where the output goes, in order.
    ///   - directory: where it runs; the top of the repository if nil.
    package init(
        _ arguments: [String], input: String? = nil, mergesErrors: Bool = false, environment: [String: String] = [:],
        directory: URL? = nil
    ) throws {
        let process = Process()
        process.executableURL = Self.binary
        process.arguments = arguments
        process.currentDirectoryURL = directory ?? Self.root
        var variables = ProcessInfo.processInfo.environment
        for name in ["NO_COLOR", "PAGER", "XDG_CONFIG_HOME", "NACRE_HISTORY"] { variables[name] = nil }
        // What pictures look like depends on these.
        for name in ["COLORTERM", "LANG", "LC_CTYPE"] { variables[name] = nil }
        variables["LC_ALL"] = "C.UTF-8"
        // Calibrations are measured once for all tests of a user, and the user's own stay as they are.
        variables["XDG_CACHE_HOME"] =
            FileManager.default.temporaryDirectory.appending(path: "nacre-tests-\(getuid())").path
        process.environment = variables.merging(environment) { $1 }
        // Files rather than pipes: nothing can block, however much is written.
        let folder = FileManager.default.temporaryDirectory.appending(path: "nacre-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let outputFile = folder.appending(path: "output")
        let errorFile = folder.appending(path: "errors")
        let inputFile = folder.appending(path: "input")
        try Data((input ?? "").utf8).write(to: inputFile)
        for file in [outputFile, errorFile] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        let outputHandle = try FileHandle(forWritingTo: outputFile)
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = outputHandle
        process.standardError = mergesErrors ? outputHandle : try FileHandle(forWritingTo: errorFile)
        try process.run()
        process.waitUntilExit()
        output = String(decoding: try Data(contentsOf: outputFile), as: UTF8.self)
        errors = String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
        code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }

    /// Runs a line of bash at the top of the repository, in which `"$NACRE"` is the binary.
    ///
    /// - Returns: The exit code, and what came on standard error.
    package static func shell(_ line: String) throws -> (code: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.currentDirectoryURL = root
        process.environment = ProcessInfo.processInfo.environment.merging(["NACRE": binary.path]) { $1 }
        process.arguments = ["-c", line]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }
}
