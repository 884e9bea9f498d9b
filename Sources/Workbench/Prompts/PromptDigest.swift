import Checkpoints

/// Returns a digest that identifies prompts whatever their set is called: the SHA-256 of all texts, each after its
/// number of bytes.
private func textDigest(_ texts: some Sequence<String>) -> String {
    Digest.sha256(texts.map { "\($0.utf8.count) \($0)\n" }.joined())
}

extension PromptSet {
    /// The SHA-256 of the prompts' texts as they stand in the set, before any chat template.
    package var digest: String { textDigest(prompts.map(\.text)) }
}

extension Capture {
    /// The SHA-256 of the texts of the captured prompts, as they were run: after any chat template.
    package var promptDigest: String { textDigest(prompts.map(\.text)) }
}
