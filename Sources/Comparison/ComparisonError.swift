package import Sites
import TerminalText
package import Workbench

/// A reason why checkpoints can't be compared: what, where, and with which numbers. The shell adds advice.
package enum ComparisonError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A set of prompts with the range of their lengths in tokens.
    package struct Lengths: Equatable, Sendable {
        package let set: String
        package let prompts: Int
        package let shortest: Int
        package let longest: Int
    }

    case noPrompts(set: String?)
    case noRows(Site)
    case noSharedSites(checkpoint: String, sites: String)
    case noSite(Site, checkpoint: String)
    case severalSites(String, count: Int, checkpoint: String)
    case notMeasured(Site, reason: String)
    case nothingMeasured(reason: String)
    case notFinite(Site, checkpoint: String, value: Double)
    case brokenTensor(String, checkpoint: String)
    case otherShape(String, than: String)
    /// While a study ran, a file that it opens again and again was written to, or another file took its name.
    case otherFile(String)
    /// Sets of prompts of which only some go through a chat template; each text names a set and says whether it does.
    case differentTemplates([String])
    case fewPermutations(Int, sites: Int)
    case longPrompt(set: String, number: Int, tokens: Int, limit: Int)
    case sharedPrompts(String, String, count: Int)
    /// There are fewer pairs of prompts of one length than are asked for; `isEnough` says whether they are still enough
    /// for an interval.
    case fewPairs(Lengths, Lengths, found: Int, least: Int, slack: Int, isEnough: Bool)
    /// The limit is too small for the longest prompt; `longest` is that prompt's number of tokens, `smallest` the bytes
    /// that two runs over it need.
    case smallLimit(MemoryLimit, longest: Int, smallest: Int)

    /// No tensor of either checkpoint matches a pattern: the pattern, both checkpoints' names, and all their tensors'
    /// names.
    case noTensor(String, String, String, known: [String])
    /// No tensor of A has a partner in B: both checkpoints' names, and the first tensor without a partner, in words.
    case noTensorPairs(String, String, first: String?)

    package var description: String {
        switch self {
        case .noTensor(let pattern, let a, let b, _):
            "neither \(a) nor \(b) has a tensor \(pattern.escapedForTerminal)"
        case .noTensorPairs(let a, let b, let first):
            "no tensor of \(a) has the name and shape of one of \(b)\(first.map { ": \($0)" } ?? "")"
        case .noPrompts(let set): "\(set ?? "the set") has no prompts"
        case .noRows(let site): "\(site.shortName) has no rows to compare"
        case .noSharedSites(let checkpoint, let sites):
            "\(checkpoint) has none of the sites \(sites.escapedForTerminal)"
        case .noSite(let site, let checkpoint): "\(checkpoint) has no \(site.kind.shortName)"
        case .severalSites(let site, let count, let checkpoint): "\(site) is \(counted(count, "site")) of \(checkpoint)"
        case .notMeasured(let site, let reason): "\(site.shortName): \(reason)"
        case .nothingMeasured(let reason): "no site can be measured: \(reason)"
        case .notFinite(let site, let checkpoint, let value):
            "\(checkpoint): \(site.shortName) holds \(NumberFormat.significant(value))"
        case .brokenTensor(let tensor, let checkpoint): "\(checkpoint): \(tensor) holds NaN or infinite values"
        case .otherShape(let one, let other): "\(one) has other layers or widths than \(other)"
        case .otherFile(let path):
            "\(path.escapedForTerminal): the file was written to or replaced since the command began"
        case .differentTemplates(let sets): "the sets have different templates: \(sets.joined(separator: ", "))"
        case .fewPermutations(let count, let sites):
            "\(counted(count, "permutation")) \(agreeing(count)) too few for \(counted(sites, "site")): no p could be 0.05 after Holm's correction"
        case .longPrompt(let set, let number, let tokens, let limit):
            "\(set): prompt \(number) has \(tokens) tokens, and the models take \(limit)"
        case .sharedPrompts(let one, let other, let count):
            "\(one) and \(other) have \(counted(count, "prompt")) in common"
        case .fewPairs(let one, let other, let found, let least, let slack, _):
            "\(one.set) and \(other.set) have only \(counted(found, "pair")) of prompts"
                + (slack > 0 ? " within \(counted(slack, "token")) of" : " of") + " one length"
                + " (\(counted(one.prompts, "prompt")) of \(one.shortest) to \(one.longest) tokens,"
                + " \(other.prompts) of \(other.shortest) to \(other.longest)), and \(least) are needed"
        case .smallLimit(let limit, let longest, let smallest):
            "\(limit.name) \(ByteSize.text(limit.bytes)) is too small: the longest prompt has"
                + " \(counted(longest, "token")), and running two checkpoints over it needs"
                + " \(WorkbenchError.needed(smallest))"
        }
    }
}
