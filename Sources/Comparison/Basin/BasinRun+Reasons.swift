import Sites
import Statistics
import TerminalText

extension BasinRun.ClassResult {
    /// The reason for the verdict on whether tuning took dimensions from a class of prompts, as a sentence without its
    /// full stop.
    package var reason: String {
        let (against, beside) = (open.other, control.other)
        switch verdict {
        case .supported:
            let more = open.sites.indices.filter {
                open.sites[$0].isAbove || control.sites[$0].isAbove
            }.map { open.sites[$0].site.shortName }
            return "at \(sites) of \(counted(open.sites.count, "site")) it has fewer dimensions than before"
                + ", and lost them against \(against) and against \(beside)"
                + (more.isEmpty ? "" : "; at \(more.joined(separator: ", ")) it gained some against one of them")
        case .notDistinguishable:
            return "at no site do both the test and the interval say that it changed otherwise than \(against)"
        case .notTestable:
            return "it lost dimensions against \(against) and \(beside), but in the base \(beside) has more than twice"
                + " or less than half as many, so it is no control for homogeneity: give one that is as homogeneous"
        case .notSupported:
            let below = open.sites.filter(\.isBelow)
            guard !below.isEmpty else { return "it gained dimensions against \(against)" }
            return below.contains(where: \.hasFallen)
                ? "it lost dimensions against \(against), but at no such site against \(beside) too"
                : "it lost dimensions against \(against) only because \(against) gained some"
        }
    }
}
