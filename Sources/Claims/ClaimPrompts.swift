import LinearAlgebra
package import Provenance
import Statistics
import TerminalText
package import Workbench

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The sets of prompts on which claims are tested, found in a folder by their names.
package struct ClaimPrompts {
    /// The purpose of a set of prompts in the tests of claims. Its file is NAME.jsonl or NAME.txt; its held-out set is
    /// NAME-heldout beside it.
    package enum Role: String, CaseIterable {
        /// The prompts that the tuning was about, such as those to be refused.
        case forbidden
        /// Prompts that look like the forbidden ones, but which the tuning was not about.
        case lookalike
        /// Prompts of a fixed form.
        case formulaic
        /// Prompts that may be answered in many ways.
        case open
        /// Prompts that have a right answer.
        case plain

        /// The words that the help text uses for prompts of this purpose.
        var description: String {
            switch self {
            case .lookalike: "look-alikes"
            default: "\(rawValue) ones"
            }
        }

        /// The names, without extension, that the file of such prompts may have, in the order in which they are looked
        /// for.
        package var names: [String] {
            switch self {
            case .forbidden: ["forbidden", "taboo"]
            case .lookalike: ["lookalike", "taboo-lookalike"]
            case .formulaic, .open, .plain: [rawValue]
            }
        }
    }

    /// The name, in errors and reports, of the folder that holds the sets of prompts.
    package let folder: String
    private let training: [Role: PromptSet]
    private let heldOut: [Role: PromptSet]
    /// The reasons why sets of prompts whose files exist could not be read.
    private let failures: [Role: any Error]
    /// The path of the file with texts in which words stand in one of two senses; nil if there is none.
    package let senses: String?
    /// The phrases by which a reply is taken for a refusal; nil if there is no such file, or it can't be read or holds
    /// none.
    package let markers: Markers?
    /// The input files that a recipe (the record of a run) names: the file of refusal phrases.
    package private(set) var inputs: [Recipe.Input] = []
    /// What the claims' numbers rest on that reading has shown: copies of prompts, which count once, and texts that
    /// stand both among the prompts on which something is found and among those on which it is measured.
    package private(set) var premises: [Premise] = []

    /// Reads the sets of prompts in a folder. A file that is not a set of prompts makes its role missing, with the
    /// error as the reason.
    ///
    /// - Parameters:
    ///   - path: the path of the folder with the sets of prompts.
    ///   - name: the name of the folder in errors and reports.
    ///   - isChat: whether each prompt is a user's turn in a chat.
    ///   - seed: the seed with which prompts are sampled.
    /// - Throws: `ClaimsError.noSets` for a folder without any set of prompts; `CancellationError`.
    package init(_ path: String, name: String, isChat: Bool, seed: UInt64) throws {
        folder = name
        func file(_ names: [String], _ suffix: String, _ kinds: [String]) -> String? {
            names.lazy.flatMap { name in kinds.map { "\(path)/\(name)\(suffix).\($0)" } }
                .first { access($0, F_OK) == 0 }
        }
        var failures: [Role: any Error] = [:]
        var reader = PromptReader()
        reader.isChat = isChat
        func sets(_ suffix: String) throws -> [Role: PromptSet] {
            var sets: [Role: PromptSet] = [:]
            for role in Role.allCases {
                guard let path = file(role.names, suffix, ["jsonl", "txt"]) else { continue }
                do {
                    sets[role] = try reader.read(path, seed: seed)
                } catch let error as CancellationError {
                    throw error
                } catch {
                    failures[role] = error
                }
            }
            return sets
        }
        let whole = try ["", "-heldout"].map { try sets($0).mapValues(DistinctPrompts.init) }
        self.failures = failures
        for role in Role.allCases {
            let named = zip([role.rawValue, "\(role.rawValue), held out"], whole.map { $0[role] })
                .compactMap { name, found in found.map { (name: name, found: $0) } }
            premises += named.flatMap { $0.found.premises(name: $0.name) }
            if named.count == 2,
                let shared = PromptSet.shared((named[0].name, named[0].found.set), (named[1].name, named[1].found.set))
            {
                premises.append(shared)
            }
        }
        (training, heldOut) = (whole[0].mapValues(\.set), whole[1].mapValues(\.set))
        senses = file(["senses"], "", ["jsonl"])
        guard !training.isEmpty || !failures.isEmpty || senses != nil else {
            throw ClaimsError.noSets(
                folder: folder, wanted: Role.allCases.map { "\($0.names.joined(separator: " or ")).jsonl" })
        }
        if let path = file(["refusals", "markers"], "", ["txt"]) {
            let found = try? Markers.read(path)
            markers = found.map { Markers($0.phrases, isAtStart: true) }
            inputs += [found?.input].compactMap(\.self)
        } else {
            markers = nil
        }
    }

    package func has(_ role: Role) -> Bool { training[role] != nil }
    package func hasHeldOut(_ role: Role) -> Bool { heldOut[role] != nil }

    /// Returns the prompts of a role on which something, such as a direction, is found: at most `count`, drawn with a
    /// seed.
    package func found(_ role: Role, _ count: Int = .max, _ seed: UInt64) throws -> PromptSet {
        guard let set = training[role], failures[role] == nil else { throw missing(role) }
        return Self.sample(set, count, seed)
    }

    /// Returns the prompts of a role on which a found thing is then measured: from the held-out set if there is one,
    /// else from the same set; at most `count`, drawn with a seed.
    package func measured(_ role: Role, _ count: Int = .max, _ seed: UInt64) throws -> PromptSet {
        guard let set = heldOut[role] ?? training[role], failures[role] == nil else { throw missing(role) }
        return Self.sample(set, count, seed)
    }

    /// Returns all prompts of a role: its set together with its held-out one.
    package func all(_ role: Role) throws -> PromptSet {
        guard let set = training[role], failures[role] == nil else { throw missing(role) }
        guard let other = heldOut[role] else { return set }
        let both = PromptSet(
            source: "\(set.source) + \(other.source)", prompts: set.prompts + other.prompts, isChat: set.isChat)
        return DistinctPrompts(both).set
    }

    /// Returns prompts of everything that the model is used for, each text once: all sets but the forbidden one, with
    /// their held-out sets; or, of each set, only its held-out set if it has one.
    package func anything(heldOut isHeldOut: Bool, atMost count: Int, seed: UInt64) throws -> PromptSet {
        let roles = Role.allCases.filter { $0 != .forbidden && has($0) }
        guard !roles.isEmpty else { throw missing(.open) }
        let sets = try roles.map { try isHeldOut ? measured($0, .max, 0) : all($0) }
        let whole = DistinctPrompts(
            PromptSet(source: folder, prompts: sets.flatMap(\.prompts), isChat: sets[0].isChat)
        ).set
        return Self.sample(whole, count, seed)
    }

    private func missing(_ role: Role) -> any Error {
        failures[role] ?? ClaimsError.noSet(folder: folder, names: role.names)
    }

    /// Returns at most `count` prompts of a set, drawn with a seed and in the set's order.
    private static func sample(_ set: PromptSet, _ count: Int, _ seed: UInt64) -> PromptSet {
        guard set.prompts.count > count else { return set }
        var random = SeededRandom(seed: seed, .claimPrompts)
        let kept = random.sample(count, of: set.prompts.count).sorted()
        return set.selecting(kept)
    }
}
