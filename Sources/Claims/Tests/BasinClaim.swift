import Comparison
import Geometry
import Models
import Sites
import Statistics
import TerminalText
import Workbench

/// The claim that the activations of a class of prompts span fewer dimensions since the tuning.
struct BasinClaim: ClaimTest {
    private let role: ClaimPrompts.Role
    private let control: ClaimPrompts.Role

    /// - Parameters:
    ///   - role: the class of prompts whose activations are said to span fewer dimensions.
    ///   - control: a class of prompts as homogeneous as `role`, which the tuning was not about.
    init(of role: ClaimPrompts.Role, control: ClaimPrompts.Role) {
        self.role = role
        self.control = control
    }

    var name: String { role.rawValue }
    var summary: String {
        "fewer dimensions since the tuning, against open prompts and against \(control.description): basin"
    }

    func statement(_ options: ClaimsRun.Options) -> String {
        "\(role.rawValue) prompts live in fewer dimensions since the tuning"
    }

    func test(_ evidence: ClaimEvidence) throws -> Claim {
        func named(_ role: ClaimPrompts.Role) throws -> BasinRun.Named {
            BasinRun.Named(name: role.rawValue, set: try evidence.prompts.all(role))
        }
        let layers = try evidence.base.checkpoint.configuration().layers
        var choices = BasinRun.Options(sites: (0..<layers).map { Site(.residPost, layer: $0) })
        (choices.seed, choices.choices, choices.slack) = (evidence.options.seed, evidence.options.choices, 2)
        choices.permutations = max(1000, 40 * layers)
        let result = try BasinRun(
            context: evidence.context, pair: evidence.pair, classes: [named(role)], open: named(.open),
            control: named(control), options: choices
        ).run()
        let found = result.classes[0]
        guard let place = found.place, let open = found.open.sites[place].found else { throw ClaimsError.noSites }
        let other = found.control.sites[place].found
        let p = Claim.text(found.open.sites[place].adjusted)
        let against = other.map {
            ", against \(control.rawValue) prompts \(NumberFormat.significant($0.value))"
                + " [\(NumberFormat.significant($0.interval.lowerBound)),"
                + " \(NumberFormat.significant($0.interval.upperBound))]"
        }
        return Claim(
            measure: "difference in differences of dimensions, against open prompts,"
                + " \(found.open.sites[place].site.shortName)", value: .init(open.value, open.interval),
            null: .init(0, open.null), found.verdict,
            because: "\(found.reason); p \(p) over \(counted(layers, "layer")) (Holm)\(against ?? ""),"
                + " \(counted(found.open.match.pairs.count, "pair"))",
            study: .init(
                "basin", [evidence.base.name, evidence.tuned.name, role.rawValue.uppercased()],
                settings: ["open": "OPEN", "control": control.rawValue.uppercased(), "length-slack": "2"]))
    }
}
