import Checkpoints

/// What tells the texts of prompts from others, whatever they are called: the SHA-256 of each text after its number of bytes.
private func textDigest(_ texts: some Sequence<String>) -> String {
    Digest.sha256(texts.map { "\($0.utf8.count) \($0)\n" }.joined())
}

extension PromptSet {
    /// Of the texts as they stand in the set, without a chat template.
    package var digest: String { textDigest(prompts.map(\.text)) }
}

extension Capture {
    /// Of the texts that were run.
    package var promptDigest: String { textDigest(prompts.map(\.text)) }
}
