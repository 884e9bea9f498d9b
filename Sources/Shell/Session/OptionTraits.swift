package import ArgumentParser
package import Language

/// Options that several commands share, with what completion and parsing need to know of them: a command that takes the
/// group need not say it again.
package protocol SharedOptions: ParsableArguments {
    /// By the name of the option.
    static var kinds: [String: CommandTraits.ArgumentKind] { get }
    /// Options that may stand without a value; whether the next word is one.
    static var optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] { get }
}

extension SharedOptions {
    package static var optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] { [:] }
}

/// The groups of shared options of a command, with those that stand in other groups.
enum OptionTraits {
    static func groups(of options: any ParsableArguments) -> [any SharedOptions.Type] {
        Mirror(reflecting: options).children.flatMap { child -> [any SharedOptions.Type] in
            guard let group = child.value as? any OptionGroupTraits else { return [] }
            return group.sharedOptions
        }
    }
}

private protocol OptionGroupTraits {
    var sharedOptions: [any SharedOptions.Type] { get }
}

extension OptionGroup: OptionGroupTraits {
    fileprivate var sharedOptions: [any SharedOptions.Type] {
        ((Value.self as? any SharedOptions.Type).map { [$0] } ?? []) + OptionTraits.groups(of: Value())
    }
}
