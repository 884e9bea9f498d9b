/// The number and the kind of the random directions with which the effects of edits are compared.
package struct RandomControls: Equatable {
    package enum Kind: String, CaseIterable {
        /// The random directions are drawn with the covariance of the activations.
        case random
        /// The random directions are drawn so that all directions are equally likely.
        case isotropic

        /// The words that a report's notes use for this kind of random directions.
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
