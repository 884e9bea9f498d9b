package import ArgumentParser
import Directions
import Geometry
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct CombineCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "combine",
        abstract: "Make directions of directions: sums, differences, joins, what is left of one.",
        discussion: """
              add A B            the sum of the vectors, unnormalised, one by one
              subtract A B       their difference
              orthogonalise A B  the vectors of A without what lies in B (--against B says the same)
              join A B ...       what they span together; vectors in the span of those before are left out

            A, B are directions or subspaces of one width. The result keeps the site and the position that all have in common;
            orthogonalise keeps A's.
            """)
    package static let traits = CommandTraits(
        .directions, changesState: true, makesValue: true,
        kinds: [
            "operation": .choice(Operation.allCases.map(\.rawValue)), "subspaces": .subspace, "against": .subspace,
        ],
        examples: [
            "corpus = prompts Scripts/prompts/facts.jsonl --label capital --limit 40",
            "other = prompts Scripts/prompts/open.txt --limit 40", "r = direction corpus other --at resid_pre[3]",
            "s = direction corpus other --at resid_pre[4]", "both = combine join r s",
            "rest = combine orthogonalise r --against s",
        ])

    enum Operation: String, CaseIterable { case add, subtract, orthogonalise, join }

    @Argument(help: "add, subtract, orthogonalise or join.") var operation: String
    @Argument(help: "Directions.") var subspaces: [String]
    @Option(help: "What orthogonalise takes away.") var against: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let operation = Operation(rawValue: operation) else {
            throw CommandError(
                "combine can't \(self.operation.escapedForTerminal)",
                remedy: Suggestion.remedy(for: self.operation, among: Operation.allCases.map(\.rawValue)), exitCode: 2)
        }
        guard against == nil || operation == .orthogonalise else {
            throw CommandError("--against goes with orthogonalise", remedy: "leave it out", exitCode: 2)
        }
        let names = subspaces + (against.map { [$0] } ?? [])
        guard operation == .join ? names.count >= 2 : names.count == 2 else {
            throw CommandError(
                "combine \(operation.rawValue) takes \(operation == .join ? "two or more" : "two"), not \(names.count)",
                remedy: "see help combine", exitCode: 2)
        }
        let parts = try names.map { try session.subspace(named: $0) }
        var result =
            switch operation {
            case .add: try parts[0].adding(parts[1])
            case .subtract: try parts[0].subtracting(parts[1])
            case .orthogonalise: try parts[0].orthogonalised(against: parts[1])
            case .join: try Subspace.join(parts)
            }
        let recipe = session.recipe(of: zip(names, parts).map { ($0, $1) })
        result.recipe = RecipeText.json(recipe)
        var report = Report(text: result.summary)
        report.recipe = recipe
        if operation == .orthogonalise {
            let share = zip(parts[0].lengths, result.lengths).map { $1 / $0 }
            if parts[0].dimension == result.dimension, let first = share.first {
                report.notes.append("\(NumberFormat.significant(first)) of the first vector's length is left.")
            } else {
                report.notes.append(
                    "\(counted(parts[0].dimension - result.dimension, "vector")) of"
                        + " \(parts[0].dimension) lay in \(names[1].escapedForTerminal) and the others.")
            }
        }
        return Outcome(.subspace(result), report: report)
    }
}

package struct AnglesCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "angles", abstract: "Cosines and principal angles between directions or subspaces.",
        discussion: """
            cosine is that of the first vectors, with its sign. Principal angles (Bjorck and Golub 1973): the smallest angle
            between the two, then the smallest orthogonal to that, and so on; overlap is the mean of their squared cosines, 1
            if one lies in the other. The null is what random subspaces of these dimensions have on average: overlap
            max(k, l) / D, and for cosine the root mean square 1 / sqrt(D).
            """)
    package static let traits = CommandTraits(
        .directions, makesValue: true, kinds: ["subspaces": .subspace],
        examples: [
            "corpus = prompts Scripts/prompts/facts.jsonl --label capital --limit 40",
            "other = prompts Scripts/prompts/open.txt --limit 40", "r = direction corpus other --at resid_pre[3]",
            "s = direction corpus other --at resid_pre[4]", "angles r s",
        ])

    @Argument(help: "Two or more.") var subspaces: [String]

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let names = subspaces
        guard names.count >= 2 else {
            throw CommandError("angles are between two or more", remedy: "give another name", exitCode: 2)
        }
        let parts = try names.map { try session.subspace(named: $0) }
        var table = Table(
            "angles",
            columns: [
                "A", "B", "dimensions", "cosine", "random cosine", "overlap", "random overlap",
                .init("smallest angle", unit: "deg"), .init("largest angle", unit: "deg"),
            ])
        for first in parts.indices {
            for second in parts.indices.dropFirst(first + 1) {
                let (a, b) = (parts[first], parts[second])
                let cosines = try a.cosines(to: b)
                let width = Double(a.width)
                table.append([
                    .text(names[first]), .text(names[second]), .text("\(a.dimension), \(b.dimension)"),
                    .number(try a.cosine(to: b)), .number(1 / width.squareRoot()),
                    .number(cosines.reduce(0) { $0 + $1 * $1 } / Double(cosines.count)),
                    .number(Double(max(a.dimension, b.dimension)) / width),
                    .number(Self.degrees(cosines.first ?? 0)), .number(Self.degrees(cosines.last ?? 0)),
                ])
            }
        }
        var report = Report(title: "angles, D = \(parts[0].width)", tables: [table])
        let places = Set(parts.map { $0.site })
        if places.count > 1 { report.notes.append("They are from different sites.") }
        report.recipe = session.recipe(of: zip(names, parts).map { ($0, $1) })
        return Outcome(report)
    }

    private static func degrees(_ cosine: Double) -> Double { Angle.degrees(cosine: cosine) }
}

extension Session {
    /// Returns the recipe of a result that was made from directions. Its inputs are the digests of their vectors.
    func recipe(of subspaces: [(name: String, subspace: Subspace)]) -> Recipe {
        var recipe = recipe()
        recipe.inputs += subspaces.map {
            Recipe.Input(name: $0.name, sha256: $0.subspace.vectorsDigest)
        }
        return recipe
    }
}
