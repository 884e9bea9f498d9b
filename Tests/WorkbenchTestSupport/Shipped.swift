package import Checkpoints
import Foundation
import LinearAlgebra
import Synchronization
import TestSupport
package import Workbench

/// Files that have been opened: each takes a process of its own to read, and tests share them.
private let opened = Mutex<[String: Checkpoint]>([:])

private func open(_ path: String) throws -> LoadedCheckpoint {
    let file = try opened.withLock { files in
        if let file = files[path] { return file }
        let file = try Checkpoint.open(repositoryFile(path))
        files[path] = file
        return file
    }
    return LoadedCheckpoint(file)
}

/// A checkpoint of the pearl family, such as `tuned` or `step-64`, with no edits in force.
package func pearl(_ name: String) throws -> LoadedCheckpoint { try open("Checkpoints/pearl-\(name).h5") }

/// The same with a name.
package func namedPearl(_ name: String) throws -> NamedCheckpoint {
    NamedCheckpoint(name: name, checkpoint: try pearl(name))
}

/// Two of the family.
package func pearlPair(_ a: String, _ b: String) throws -> CheckpointPair {
    CheckpointPair(a: try namedPearl(a), b: try namedPearl(b))
}

/// One of the models that Scripts/neighbours/fixtures.py makes, such as `tiny-chat`.
package func fixtureModel(_ name: String) throws -> LoadedCheckpoint { try open("Tests/Fixtures/models/\(name).h5") }

/// So many lines of a file of Scripts/prompts, evenly spaced, so that they are of all kinds.
package func shippedLines(_ file: String, _ count: Int) throws -> [String] {
    let text = try String(contentsOfFile: repositoryFile("Scripts/prompts/\(file)"), encoding: .utf8)
    let lines = text.split(separator: "\n").map(String.init)
    precondition(count <= lines.count, "\(count) lines of \(lines.count)")
    return (0..<count).map { lines[$0 * lines.count / count] }
}

/// So many prompts of a shipped file, evenly spaced.
package func shippedPrompts(_ file: String, _ count: Int, isChat: Bool = false) throws -> PromptSet {
    var reader = PromptReader()
    reader.isChat = isChat
    let all = try reader.read(repositoryFile("Scripts/prompts/\(file)"), name: file, seed: 0)
    precondition(count <= all.prompts.count, "\(count) prompts of \(all.prompts.count)")
    return PromptSet(
        source: file, prompts: (0..<count).map { all.prompts[$0 * all.prompts.count / count] }, isChat: isChat)
}

extension LoadedCheckpoint {
    /// Returns the token ids of a text as it stands, or of one that a chat template rendered.
    package func encode(_ text: String, isRendered: Bool = false) throws -> [Int32] {
        try encode(PromptSet(texts: [text], isRendered: isRendered), in: .testing(), isRun: false).ids[0]
    }
}

/// A set of texts.
package func promptSet(_ texts: [String], isChat: Bool = false, label: String = "") -> PromptSet {
    PromptSet(source: "texts", prompts: texts.map { .init(text: $0, label: label) }, isChat: isChat)
}

/// A checkpoint in memory with other values in some tensors, as f32.
///
/// - Parameter change: is given a tensor's name and its values; nil leaves it as it is.
package func changed(
    _ original: LoadedCheckpoint, label: String = "changed", recipe: String = "{}",
    _ change: (_ name: String, _ values: [Double]) -> [Double]?
) throws -> LoadedCheckpoint {
    var derivation = Derivation(of: original.file, recipeJSON: Array(recipe.utf8))
    for info in original.file.tensors {
        guard let view = try original.file.tensor(info.name) else { continue }
        var values = [Double](repeating: 0, count: view.count)
        values.withUnsafeMutableBufferPointer { view.copyDoubles(from: 0, into: $0) }
        guard let other = change(info.name, values) else { continue }
        derivation.tensors.append(
            try MemoryTensor(name: info.name, type: .f32, shape: info.shape, file: label) { target in
                for (place, value) in other.enumerated() {
                    target.storeBytes(of: Float(value), toByteOffset: 4 * place, as: Float.self)
                }
            })
    }
    return LoadedCheckpoint(try Checkpoint(derivation, label: label))
}

/// A checkpoint in memory whose config.json has other values under some keys.
///
/// - Parameters:
///   - members: the keys with their values, as a JSON object.
///   - removed: keys that it does not have.
package func configured(
    _ original: LoadedCheckpoint, _ members: String = "{}", without removed: [String] = [], label: String = "other"
) throws -> LoadedCheckpoint {
    func object(_ bytes: some Sequence<UInt8>) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
    }
    var configuration = try object(original.file.configJSON ?? [])
    configuration.merge(try object(members.utf8)) { $1 }
    for key in removed { configuration[key] = nil }
    var derivation = Derivation(of: original.file, recipeJSON: Array("{}".utf8))
    derivation.configJSON = Array(try JSONSerialization.data(withJSONObject: configuration, options: .sortedKeys))
    return LoadedCheckpoint(try Checkpoint(derivation, label: label))
}

/// The model with an output matrix of its own that has the embedding's values, or with `change` others.
package func untied(
    _ original: LoadedCheckpoint, label: String = "untied", change: (([Double]) -> [Double])? = nil
) throws -> LoadedCheckpoint {
    var derivation = Derivation(of: original.file, recipeJSON: Array("{}".utf8))
    try derivation.separate("lm_head.weight", from: "model.embed_tokens.weight", bodyPrefix: "model.")
    let separated = LoadedCheckpoint(try Checkpoint(derivation, label: label))
    guard let change else { return separated }
    return try changed(separated, label: label) { name, values in name == "lm_head.weight" ? change(values) : nil }
}

/// A checkpoint with NaN in one tensor.
package func withNaN(_ original: LoadedCheckpoint, in tensor: String = "model.norm.weight") throws -> LoadedCheckpoint {
    try changed(original, label: "bad.h5") { name, values in
        name == tensor ? [.nan] + values.dropFirst() : nil
    }
}

/// The numbers of a tensor.
package func values(of tensor: String, _ file: Checkpoint) throws -> [Double] {
    guard let view = try file.tensor(tensor) else { return [] }
    var values = [Double](repeating: 0, count: view.count)
    values.withUnsafeMutableBufferPointer { view.copyDoubles(from: 0, into: $0) }
    return values
}
