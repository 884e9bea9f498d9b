/// How many random directions stand beside those of edits, and of which kind.
package struct RandomControls: Equatable {
    package enum Kind: String, CaseIterable {
        /// With the covariance of the activations.
        case random
        /// Every direction alike.
        case isotropic

        /// What is said of them in notes.
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
