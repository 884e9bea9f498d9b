import Language
package import Reports
package import Sites
import TerminalText
package import Workbench

/// The settings that the user can change in a session, and where each was last set.
package struct Settings {
    package enum Key: String, CaseIterable, Sendable {
        case mode, timer, seed, threads, memory, precision, kernel, color, pager, progress
        case csvGuard = "csv-guard"

        /// The words that are accepted as a value. The list is empty where only a number is accepted.
        package var choices: [String] {
            switch self {
            case .mode: OutputMode.allCases.map(\.rawValue)
            case .timer, .pager, .progress, .csvGuard: ["on", "off"]
            case .precision: Precision.allCases.map(\.rawValue)
            case .kernel: ["auto"] + Kernel.available.map(\.name)
            case .color: ["auto", "always", "never"]
            case .memory: ["auto"]
            case .seed, .threads: []
            }
        }

        package var summary: String {
            switch self {
            case .mode: "how reports are printed: \(OutputMode.allCases.map(\.rawValue).joined(separator: ", "))"
            case .timer: "print wall time, cpu time, memory and GFLOP/s after each command: on, off"
            case .seed: "seed of everything random"
            case .threads: "threads that compute; the results are the same bits at any number"
            case .memory:
                "memory that capture, loss, lens and next may take beside what is open, such as 2GB or 512MiB; auto: what is fastest"
            case .precision:
                "what products are computed in: f32, the reference, or bf16, with its error beside the result"
            case .kernel:
                "instructions of matrix products: auto (the fastest), or portable, avx2, avx512, amx or neon where the processor has them; $NACRE_KERNEL sets it too; see help machine"
            case .color: "colours: auto (on a terminal), always, never"
            case .pager: "show what is longer than the screen in $PAGER: on, off"
            case .progress: "progress of long commands on a terminal: on, off"
            case .csvGuard: "put ' before texts in csv that a spreadsheet would compute (= + - @): on, off"
            }
        }
    }

    package var mode = OutputMode.table
    package var timer = false
    package var seed: UInt64 = 0
    package var threads: Int
    /// The memory limit of a run in bytes; nil divides a run so that it is fastest within the available memory.
    package var memory: Int?
    package var precision = Precision.f32
    /// The kernel of matrix products. When it is nil, the fastest that the processor has is taken.
    package var kernel: Kernel?
    package var color = "auto"
    package var pager = true
    package var progress = true
    package var csvGuard = false
    package private(set) var origins: [Key: String] = [:]

    package init(threads: Int) { self.threads = threads }

    package func text(of key: Key) -> String {
        switch key {
        case .mode: mode.rawValue
        case .timer: timer ? "on" : "off"
        case .seed: String(seed)
        case .threads: String(threads)
        case .memory: memory.map(ByteSize.text) ?? "auto"
        case .precision: precision.rawValue
        case .kernel: kernel?.name ?? "auto"
        case .color: color
        case .pager: pager ? "on" : "off"
        case .progress: progress ? "on" : "off"
        case .csvGuard: csvGuard ? "on" : "off"
        }
    }

    /// Changes a setting.
    ///
    /// - Parameters:
    ///   - key: The setting.
    ///   - text: The new value as it was written.
    ///   - origin: The place where the value comes from, for `show`.
    /// - Throws: `CommandError` that says which values the setting accepts.
    package mutating func set(_ key: Key, to text: String, origin: String) throws {
        switch key {
        case .mode:
            guard let mode = OutputMode(rawValue: text) else {
                throw Self.refusal(key, text, OutputMode.allCases.map(\.rawValue).joined(separator: ", "))
            }
            self.mode = mode
        case .timer: timer = try Self.flag(key, text)
        case .pager: pager = try Self.flag(key, text)
        case .progress: progress = try Self.flag(key, text)
        case .csvGuard: csvGuard = try Self.flag(key, text)
        case .seed:
            guard let number = UInt64(text) else { throw Self.refusal(key, text, "a whole number from 0") }
            seed = number
        case .threads:
            guard let number = Int(text), (1...1024).contains(number) else {
                throw Self.refusal(key, text, "a number from 1 to 1024")
            }
            threads = number
        case .memory: memory = text == "auto" ? nil : try ByteSize.parse(text, for: "memory", orElse: "auto")
        case .precision: precision = try Self.precision(text, for: "precision")
        case .kernel: kernel = text == "auto" ? nil : try Self.kernel(text)
        case .color:
            guard ["auto", "always", "never"].contains(text) else {
                throw Self.refusal(key, text, "auto, always or never")
            }
            color = text
        }
        origins[key] = origin
    }

    /// Returns the kernel of a name.
    ///
    /// - Throws: `CommandError` if there is no such kernel, or if this processor lacks its instructions.
    static func kernel(_ text: String) throws -> Kernel {
        let choices = (["auto"] + Kernel.available.map(\.name)).joined(separator: ", ")
        guard let kernel = Kernel(text) else { throw refusal(.kernel, text, choices) }
        guard kernel.isAvailable else {
            throw CommandError(
                "kernel can't be \"\(text.escapedForTerminal)\": this processor lacks it", remedy: "give \(choices)",
                exitCode: 2)
        }
        return kernel
    }

    static func precision(_ text: String, for name: String) throws -> Precision {
        guard let precision = Precision(rawValue: text) else {
            throw CommandError("\(name) can't be \"\(text)\"", remedy: "give f32 or bf16", exitCode: 2)
        }
        return precision
    }

    private static func flag(_ key: Key, _ text: String) throws -> Bool {
        switch text {
        case "on", "true", "yes", "1": return true
        case "off", "false", "no", "0": return false
        default: throw refusal(key, text, "on or off")
        }
    }

    private static func refusal(_ key: Key, _ text: String, _ accepted: String) -> CommandError {
        CommandError("\(key.rawValue) can't be \"\(text.escapedForTerminal)\"", remedy: "give \(accepted)", exitCode: 2)
    }
}
