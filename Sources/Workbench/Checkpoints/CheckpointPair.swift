import LinearAlgebra
import Models
package import Sites
import TerminalText
import Tokenizers

/// Two checkpoints that are compared over the same prompts.
package struct CheckpointPair {
    package let a: NamedCheckpoint
    package let b: NamedCheckpoint
    let memory = Memory()

    /// What has been found of a pair, whose copies share it.
    final class Memory {
        var differences: [ModelDifference]?
    }

    package init(a: NamedCheckpoint, b: NamedCheckpoint) {
        self.a = a
        self.b = b
    }

    /// Checks that a token id means the same to both checkpoints: the vocabularies have one size, and no id stands for
    /// two different texts.
    ///
    /// - Throws: `WorkbenchError` if the sizes differ, or with the first id whose texts differ.
    package func checkSameVocabulary() throws {
        let sizes = try [a, b].map { try $0.checkpoint.configuration().vocabularySize }
        guard sizes[0] == sizes[1] else {
            throw WorkbenchError.differentVocabularies(a.name, sizes[0], b.name, sizes[1])
        }
        let tokenizers = try [a, b].map { try $0.checkpoint.tokenizer() }
        for id in 0..<Int32(clamping: sizes[0]) {
            // An id that only one tokenizer names, such as a special token's, is still the same column of the logits.
            guard let one = tokenizers[0].token(id), let other = tokenizers[1].token(id), one != other else { continue }
            throw WorkbenchError.differentTokens(id: id, one, a.name, other, b.name)
        }
    }

    /// Encodes the prompts of a set and checks that both checkpoints see the same tokens. At the position `all`, the
    /// last token of each prompt is left out. Prompts that then have no position are only counted, in `leftOut`.
    ///
    /// - Parameter isRun: whether the models are to read the whole prompts, so that they must not be too long for them.
    /// - Throws: `WorkbenchError` that names the first token that differs, or says that no prompt has such positions.
    package func encode(
        _ set: PromptSet, at position: Position, in context: RunContext, isRun: Bool = true
    ) throws -> ComparedPrompts {
        let first = try a.checkpoint.encode(set, in: context, isRun: isRun)
        if a.checkpoint !== b.checkpoint {
            let second = try b.checkpoint.encode(set, in: context, isRun: isRun)
            for prompt in first.ids.indices where first.ids[prompt] != second.ids[prompt] {
                let cause = first.texts[prompt] == second.texts[prompt] ? "" : ", because their chat templates differ"
                throw try difference(first.ids[prompt], second.ids[prompt], prompt: prompt, of: set, cause)
            }
        }
        var positions = try context.positions(position, a.checkpoint, first, includesLeading: true)
        // As in a loss, the last token of a prompt is left out: no token follows it.
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
            throw WorkbenchError.noNextToken
        }
        return compared
    }

    private func difference(
        _ one: [Int32], _ other: [Int32], prompt: Int, of set: PromptSet, _ cause: String
    ) throws -> WorkbenchError {
        let place =
            zip(one, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(one.count, other.count)
        func token(_ ids: [Int32], _ checkpoint: LoadedCheckpoint) throws -> String {
            guard place < ids.count else { return "no token" }
            return "\(ids[place]) \"\(try checkpoint.tokenizer().piece(ids[place]).escapedForTerminal)\""
        }
        return .differentEncodings(
            "position \(place) of \(set.subject(prompt)) is"
                + " \(try token(one, a.checkpoint)) in \(a.name) and \(try token(other, b.checkpoint)) in"
                + " \(b.name)\(cause)")
    }
}
