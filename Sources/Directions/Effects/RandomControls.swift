/// The number and the kind of the random directions with which the effects of edits are compared.
package struct RandomControls: Equatable {
    package enum Kind: String, CaseIterable {
        /// The directions have the covariance of the activations.
        case random
        /// All directions are equally likely.
        case isotropic

        /// The words that notes use for them.
        package var summary: String {
            switch self {
            case .random: "drawn with the covariance within each set"
            case .isotropic: "every one as likely as another"
            }
        }
    }

    package let kind: Kind
    package let count: Int

    package static let none = RandomControls(kind: .random, count: 0)

    package init(kind: Kind, count: Int) {
        self.kind = kind
        self.count = count
    }
}
