import ArgumentParser
import Language
import TerminalText
import Workbench

/// The options that are common to all commands in which a model continues a text.
struct DecodingOptions: ParsableArguments {
    @Option(help: "What logits are divided by; 0 takes the likeliest token. 1 if a filter is given, else 0.")
    var temperature: Double?
    @Option(help: "Draw from the k likeliest tokens.") var topK: Int?
    @Option(help: "Draw from the fewest likeliest tokens that have this probability together.") var topP: Double?
    @Option(help: "Draw from tokens at least this many times as likely as the likeliest.") var minP: Double?
    @Option(help: "Divide positive logits of earlier tokens by this, multiply negative ones.")
    var repetitionPenalty: Double?
    @Option(help: "The seed of what is drawn; by default the setting seed.") var seed: String?
    @Option(help: "End before this text; may be repeated.") var stop: [String] = []
    @Flag(help: "Do not stop at the end-of-text token.") var ignoreEnd = false

    /// Checks the options and returns the choices for decoding.
    ///
    /// - Parameters:
    ///   - session: The session, whose seed is taken where the options give none.
    ///   - tokens: The largest number of new tokens.
    /// - Throws: `CommandError` that names the first option whose value is not accepted.
    func choices(_ session: Session, tokens: Int) throws -> DecodingChoices {
        let tokens = try checkedCount(tokens, "--tokens")
        let (temperature, penalty) = try checkedSampling()
        return DecodingChoices(
            tokens: tokens, temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: penalty,
            seed: try seed.map(Self.seed) ?? session.settings.seed, stops: try stop.map(Self.stopString),
            ignoresEnd: ignoreEnd)
    }

    private func checkedSampling() throws -> (temperature: Double, penalty: Double) {
        let hasFilter = topK != nil || topP != nil || minP != nil
        let temperature = temperature ?? (hasFilter ? 1 : 0)
        guard temperature == 0 || (0.001...1000).contains(temperature) else {
            throw Self.refusal("--temperature", temperature, "0 (the likeliest token) or a number from 0.001 to 1000")
        }
        guard temperature > 0 || !hasFilter else {
            throw CommandError(
                "at --temperature 0 the likeliest token is taken, whatever else is left",
                remedy: "leave out the temperature, or --top-k, --top-p and --min-p", exitCode: 2)
        }
        if let topK { _ = try checkedCount(topK, "--top-k") }
        if let topP, !(topP > 0 && topP <= 1) {
            throw Self.refusal("--top-p", topP, "a number above 0, at most 1")
        }
        if let minP, !(0...1).contains(minP) { throw Self.refusal("--min-p", minP, "a number from 0 to 1") }
        let penalty = repetitionPenalty ?? 1
        guard (0.01...100).contains(penalty) else {
            throw Self.refusal("--repetition-penalty", penalty, "a number from 0.01 to 100; 1 is none")
        }
        return (temperature, penalty)
    }

    private static func refusal(_ option: String, _ value: Double, _ accepted: String) -> CommandError {
        CommandError("\(option) can't be \(value)", remedy: "give \(accepted)", exitCode: 2)
    }

    private static func seed(_ text: String) throws -> UInt64 {
        guard let number = UInt64(text) else {
            throw CommandError(
                "--seed can't be \"\(text.escapedForTerminal)\"",
                remedy: "give a whole number from 0 to \(UInt64.max)", exitCode: 2)
        }
        return number
    }

    private static func stopString(_ text: String) throws -> String {
        var result = String.UnicodeScalarView()
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            let following = scalar == "\\" ? scalars.first : nil
            let meaning: Unicode.Scalar? =
                switch following {
                case "n": "\n"
                case "t": "\t"
                case "\\": "\\"
                default: nil
                }
            if meaning != nil { scalars.removeFirst() }
            result.append(meaning ?? scalar)
        }
        guard !result.isEmpty else {
            throw CommandError("--stop is empty", remedy: "give at least one character", exitCode: 2)
        }
        return String(result)
    }
}
