internal import LinearAlgebra
internal import Models

/// Checkpoints whose tensors can be reckoned with one by one.
package enum SameTensors {
    /// Whether every tensor of one has a tensor of the same name and shape in the other, and the other no more.
    ///
    /// - Throws: `CheckpointError` that names the first, in order of name, that does not match or can't be read.
    package static func check(_ a: Checkpoint, _ b: Checkpoint) throws {
        let remedy = "give checkpoints of one model, such as a base and what was tuned from it"
        for name in Set(a.tensors.map(\.name)).union(b.tensors.map(\.name)).sorted() {
            guard let one = a.info(name) else {
                throw CheckpointError(
                    .inconsistent, file: a.label, object: name,
                    problem: "there is no such tensor; \(b.label) has one", remedy: remedy)
            }
            guard let other = b.info(name) else {
                throw CheckpointError(
                    .inconsistent, file: b.label, object: name,
                    problem: "there is no such tensor; \(a.label) has one", remedy: remedy)
            }
            guard one.shape == other.shape else {
                throw CheckpointError(
                    .inconsistent, file: b.label, object: name,
                    problem: "its shape is \(text(other.shape)); in \(a.label) it is \(text(one.shape))",
                    remedy: remedy)
            }
            guard one.type.isFloatingPoint == other.type.isFloatingPoint else {
                throw CheckpointError(
                    .inconsistent, file: b.label, object: name,
                    problem: "its elements are \(other.typeName); in \(a.label) they are \(one.typeName)",
                    remedy: remedy)
            }
        }
    }

    private static func text(_ shape: [Int]) -> String {
        shape.isEmpty ? "one number" : shape.map(String.init).joined(separator: " x ")
    }

    static func view(_ name: String, of checkpoint: Checkpoint) throws -> TensorView {
        guard let view = try checkpoint.tensor(name) else { preconditionFailure("\(name) was there") }
        return view
    }
}
