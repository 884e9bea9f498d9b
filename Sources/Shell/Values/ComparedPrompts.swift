import Language
import LinearAlgebra
import Models
import Sites
import TerminalText
import Tokenizers

/// Prompts that two checkpoints see as the same tokens, with the positions at which they are compared.
struct ComparedPrompts {
    /// Where each stands in the set, from 0.
    var numbers: [Int] = []
    var ids: [[Int32]] = []
    /// Ascending; at least one a prompt.
    var positions: [[Int]] = []
    /// Prompts that have no such position.
    var leftOut = 0
}

extension Session {
    /// Two open checkpoints, each with its edits in force.
    func pair(_ a: String, _ b: String) throws -> CheckpointPair {
        CheckpointPair(
            a: NamedCheckpoint(a, try checkpoint(named: a)), b: NamedCheckpoint(b, try checkpoint(named: b)))
    }
}

/// Two checkpoints, one beside the other.
struct CheckpointPair {
    let a: NamedCheckpoint
    let b: NamedCheckpoint

    /// Checks that a token id means the same to both: vocabularies of one size, and no id that stands for two texts.
    func checkSameVocabulary() throws {
        let remedy = "compare checkpoints that share a tokenizer"
        let sizes = try [a, b].map { try $0.checkpoint.configuration().vocabularySize }
        guard sizes[0] == sizes[1] else {
            throw CommandError(
                "the vocabulary of \(a.name) has \(sizes[0]) tokens, that of \(b.name) \(sizes[1])", remedy: remedy)
        }
        let tokenizers = try [a, b].map { try $0.checkpoint.tokenizer() }
        for id in 0..<Int32(clamping: sizes[0]) {
            // An id that only one of them names, such as a special token's, is the same column of the logits still.
            guard let one = tokenizers[0].token(id), let other = tokenizers[1].token(id), one != other else { continue }
            throw CommandError(
                "token \(id) is \"\(one.escapedForTerminal)\" in \(a.name) and \"\(other.escapedForTerminal)\" in"
                    + " \(b.name)", remedy: remedy)
        }
    }

    /// The prompts of a set, as both see them.
    ///
    /// - Throws: `CommandError` that names the first token that differs, or says that no prompt has the positions.
    func encode(_ set: PromptSet, at position: Position, in session: Session) throws -> ComparedPrompts {
        let first = try a.checkpoint.encode(set, control: session.control)
        if a.checkpoint !== b.checkpoint {
            let second = try b.checkpoint.encode(set, control: session.control)
            for prompt in first.ids.indices where first.ids[prompt] != second.ids[prompt] {
                let cause = first.texts[prompt] == second.texts[prompt] ? "" : ", because their chat templates differ"
                throw try difference(first.ids[prompt], second.ids[prompt], prompt: prompt, of: set, cause)
            }
        }
        var positions = try session.positions(
            position, a.checkpoint, ids: first.ids, texts: first.texts, isRendered: set.isChat, includesLeading: true)
        // As in a loss: the last token of a prompt has none after it.
        if position == .all { positions = positions.map { $0.dropLast() } }
        var compared = ComparedPrompts()
        for prompt in first.ids.indices {
            guard !positions[prompt].isEmpty else {
                compared.leftOut += 1
                continue
            }
            compared.numbers.append(prompt)
            compared.ids.append(first.ids[prompt])
            compared.positions.append(positions[prompt])
        }
        guard !compared.ids.isEmpty else {
            throw CommandError(
                "a comparison at every position that has a next token needs two tokens",
                remedy: "give a longer text, or --at last")
        }
        return compared
    }

    private func difference(
        _ one: [Int32], _ other: [Int32], prompt: Int, of set: PromptSet, _ cause: String
    ) throws -> CommandError {
        let place =
            zip(one, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(one.count, other.count)
        func token(_ ids: [Int32], _ checkpoint: LoadedCheckpoint) throws -> String {
            guard place < ids.count else { return "no token" }
            return "\(ids[place]) \"\(try checkpoint.tokenizer().piece(ids[place]).escapedForTerminal)\""
        }
        return CommandError(
            "position \(place) of \(set.prompts.count == 1 ? "the text" : "prompt \(prompt + 1)") is"
                + " \(try token(one, a.checkpoint)) in \(a.name) and \(try token(other, b.checkpoint)) in"
                + " \(b.name)\(cause)", remedy: "compare checkpoints that make the same tokens of a text")
    }
}
