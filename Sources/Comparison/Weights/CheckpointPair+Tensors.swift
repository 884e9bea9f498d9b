import Checkpoints
import Sites
import TerminalText
package import Workbench

extension CheckpointPair {
    /// Returns the tensors of both checkpoints' files, paired by name, with those that have no partner. The files are
    /// those that `files(in:)` returns: where one of two models is tied, its embedding is its output matrix too.
    ///
    /// - Parameter pattern: A pattern of names, in which `*` and `?` match any characters; nil takes all tensors.
    /// - Throws: `ComparisonError.noTensor` if no tensor's name matches, `ComparisonError.noTensorPairs` if no two
    ///   tensors are a pair; `CheckpointError`.
    package func tensors(matching pattern: String? = nil, in context: RunContext) throws -> TensorPairs {
        let files = try self.files(in: context)
        let (first, second) = (files.a.tensors, files.b.tensors)
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

    /// Compares the numbers of paired tensors, as `tensors(matching:in:)` returned them.
    ///
    /// - Throws: `CancellationError`; the errors of reading a tensor.
    package func compare(_ pairs: TensorPairs, in context: RunContext) throws -> WeightsComparison {
        let files = try self.files(in: context)
        return try WeightsComparison(pairs.pairs, files.a, files.b, pool: context.pool, control: context.control)
    }
}

extension TensorPairs.Unpaired {
    /// A description of a tensor without a partner, such as `lm_head.weight is in A only, bf16 [300, 64]`.
    package var phrase: String {
        let shapes = [a, b].compactMap { $0.map { "\($0.typeName) \(shapeText($0.shape))" } }
        return "\(name.escapedForTerminal) \(difference.phrase()), \(shapes.joined(separator: " beside "))"
    }
}
