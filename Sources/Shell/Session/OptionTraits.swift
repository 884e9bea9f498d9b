package import ArgumentParser
package import Language

/// A group of options that several commands share, together with the properties that completion and parsing need. A
/// command that contains the group need not repeat them.
package protocol SharedOptions: ParsableArguments {
    /// The kinds of the options, keyed by the name of the option.
    static var kinds: [String: CommandTraits.ArgumentKind] { get }
    /// The options that may stand without a value, keyed by name. Each closure decides whether the next word is the
    /// option's value.
    static var optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] { get }
}

extension SharedOptions {
    package static var optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] { [:] }
}

/// A search for the groups of shared options that a command contains, including those inside other groups.
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
