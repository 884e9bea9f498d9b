package import Checkpoints

/// The tensors of two checkpoints, paired by name.
package struct TensorPairs: Sendable {
    package struct Pair: Sendable {
        /// The name that checkpoint A has for the tensor.
        package let name: String
        package let a: TensorInfo
        package let b: TensorInfo
    }

    /// A reason why a tensor of one checkpoint is not paired with one of the other.
    package enum Difference: String, Sendable {
        case onlyInA = "in A only"
        case onlyInB = "in B only"
        case reshaped = "another shape"
        case unreadable = "unreadable type"

        /// Returns the reason as words that follow the tensor's name or a number of tensors, such as "is in A only".
        package func phrase(isPlural: Bool = false) -> String {
            switch self {
            case .onlyInA, .onlyInB: "\(isPlural ? "are" : "is") \(rawValue)"
            case .reshaped: "\(isPlural ? "have" : "has") another shape"
            case .unreadable: "\(isPlural ? "have" : "has") a type that can't be read"
            }
        }
    }

    /// A tensor that has no partner in the other checkpoint, or two of one name that can't be compared.
    package struct Unpaired: Sendable {
        package let name: String
        package let difference: Difference
        package let a: TensorInfo?
        package let b: TensorInfo?
    }

    /// The pairs of tensors that can be compared, in the order of the model's parts.
    package private(set) var pairs: [Pair] = []
    package private(set) var unpaired: [Unpaired] = []

    /// Pairs the tensors of two checkpoints by name. If they share no name but that of the output matrix, which has no
    /// prefix, the prefixes `model.` and `transformer.` are ignored, because a model may have been saved without them.
    ///
    /// - Parameter isChosen: returns whether the tensor with the given name takes part.
    package init(_ a: [TensorInfo], _ b: [TensorInfo], isChosen: (String) -> Bool = { _ in true }) {
        func prefixed(_ infos: [TensorInfo]) -> Set<String> {
            Set(infos.map(\.name).filter { ModelPart($0).kind != .head })
        }
        let isExact = !prefixed(a).isDisjoint(with: prefixed(b))
        func key(_ name: String) -> String { isExact ? name : ModelPart.withoutPrefix(name) }
        let others = Dictionary(b.map { (key($0.name), $0) }) { first, _ in first }
        var paired: Set<String> = []
        for info in a where isChosen(info.name) {
            guard let other = others[key(info.name)] else {
                unpaired.append(.init(name: info.name, difference: .onlyInA, a: info, b: nil))
                continue
            }
            paired.insert(other.name)
            if info.unreadableType != nil || other.unreadableType != nil {
                unpaired.append(.init(name: info.name, difference: .unreadable, a: info, b: other))
            } else if info.shape != other.shape {
                unpaired.append(.init(name: info.name, difference: .reshaped, a: info, b: other))
            } else {
                pairs.append(.init(name: info.name, a: info, b: other))
            }
        }
        for info in b where !paired.contains(info.name) && isChosen(info.name) {
            unpaired.append(.init(name: info.name, difference: .onlyInB, a: nil, b: info))
        }
        pairs.sort { ModelPart($0.name) < ModelPart($1.name) }
        unpaired.sort { ModelPart($0.name) < ModelPart($1.name) }
    }
}
