import Checkpoints
import Sites
import TerminalText
package import Workbench

extension CheckpointPair {
    /// Returns the tensors of both checkpoints, paired by name, with those that have no partner.
    ///
    /// - Parameter pattern: A pattern of names, in which `*` and `?` match any characters; nil takes all tensors.
    /// - Throws: `ComparisonError.noTensor` if no tensor's name matches, `ComparisonError.noTensorPairs` if no two
    ///   tensors are a pair.
    package func tensors(matching pattern: String? = nil) throws -> TensorPairs {
        let (first, second) = (a.checkpoint.file.tensors, b.checkpoint.file.tensors)
        let bytes = pattern.map { Array($0.utf8) }
        let pairs = TensorPairs(first, second) { name in
            bytes.map { SiteExpression.matches(Array(name.utf8), $0) } ?? true
        }
        guard pairs.pairs.isEmpty else { return pairs }
        if pairs.unpaired.isEmpty, let pattern {
            throw ComparisonError.noTensor(pattern, a.name, b.name, known: (first + second).map(\.name))
        }
        throw ComparisonError.noTensorPairs(a.name, b.name, first: pairs.unpaired.first?.phrase)
    }
}

extension TensorPairs.Unpaired {
    /// A description of a tensor without a partner, such as `lm_head.weight is in A only, bf16 [300, 64]`.
    package var phrase: String {
        let shapes = [a, b].compactMap { $0.map { "\($0.typeName) \(shapeText($0.shape))" } }
        return "\(name.escapedForTerminal) \(difference.phrase()), \(shapes.joined(separator: " beside "))"
    }
}
