import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

extension ClaimsRun {
    /// Where M is measured.
    func manifoldSite() throws -> Site {
        try options.site ?? Site(.residPost, layer: tuned.checkpoint.configuration().layers / 2)
    }

    private static func whole(_ range: ClosedRange<Double>) -> String {
        "\(NumberFormat.significant(range.lowerBound)) to \(NumberFormat.significant(range.upperBound))"
    }

    private func statement(_ kind: Claim.Kind) -> String {
        kind == .dimension
            ? "activations lie on a manifold M of \(Self.whole(options.dimensions)) dimensions"
            : "M is curved: of fewer dimensions than the linear space that it fills"
    }

    /// The dimension of M, and whether it is less than a linear space's: one measurement.
    func manifoldClaims() throws -> [Claim] {
        do {
            let site = try manifoldSite()
            let set = try prompts.anything(heldOut: false, atMost: Self.manifoldPrompts, seed: options.seed)
            let matrix = try lastRows(tuned, set, [site])[0]
            let points = MeasuredSet(name: site.shortName, width: matrix.columns) { matrix }
            let run = try ManifoldRun(
                context: session.context(), limit: 2000, seed: options.seed, isWithoutRogue: false)
            let found = try run.measured([points]).measured[0].measurement
            let command = "manifold CAPTURE, of: capture \(site.shortName) --at last"
            return [dimensionClaim(found, site, command), curvedClaim(found, site, command)]
        } catch let error as CancellationError {
            throw error
        } catch {
            return [Claim.Kind.dimension, .curved].map { .untestable($0, statement($0), CommandError.words(error)) }
        }
    }

    private func dimensionClaim(_ found: ManifoldMeasurement, _ site: Site, _ command: String) -> Claim {
        let (value, interval) = (found.estimate.value, found.estimate.interval)
        let finding = found.finding(on: options.dimensions)
        let range = Self.whole(options.dimensions)
        let few = found.count < 2000 ? "; \(found.count) distinct points are fewer than the 2,000 that are wanted" : ""
        let reason =
            switch finding {
            case .curved: "inside \(range), and curved"
            case .linear: "inside \(range), a linear subspace"
            case .open: "the interval reaches \(range), the estimate does not"
            case .noise: "as independent Gaussian coordinates would be"
            case .outside:
                Double(found.width) < options.dimensions.lowerBound
                    ? "the model is only \(found.width) wide" : "outside \(range)"
            }
        return Claim(
            kind: .dimension, statement: statement(.dimension), measure: "dimension at \(site.shortName), calibrated",
            value: .interval(value: value, low: interval.lowerBound, high: interval.upperBound),
            null: found.noise[.participationRatio].map { .number($0) } ?? .missing, verdict: finding.verdict,
            reason: reason + few, command: command)
    }

    private func curvedClaim(_ found: ManifoldMeasurement, _ site: Site, _ command: String) -> Claim {
        let (ratio, null) = (found.surrogate.ratio, found.surrogate.nullSpread)
        let judged: (verdict: Verdict, reason: String) =
            switch found.structure {
            case .curved: (.supported, "points lie closer together than a Gaussian of their covariance would")
            case .linear: (.notSupported, "a Gaussian of the same covariance looks alike")
            case .noise: (.notDistinguishable, "as independent Gaussian coordinates would be")
            }
        return Claim(
            kind: .curved, statement: statement(.curved),
            measure: "TwoNN over a Gaussian's of the same covariance, \(site.shortName)", value: .number(ratio),
            null: .interval(value: found.surrogate.nullRatio, low: null.lowerBound, high: null.upperBound),
            verdict: judged.verdict, reason: judged.reason, command: command)
    }

    /// One row a prompt, of its last token, at each site. [site][prompts, width]
    func lastRows(_ source: NamedCheckpoint, _ set: PromptSet, _ sites: [Site]) throws -> [Matrix] {
        let ids = try source.checkpoint.encode(set, control: session.control).ids
        let rows = try session.context().rows(
            source, ids, positions: ids.map { [$0.count - 1] }, sites: sites, choices: options.choices)
        return try sites.map { site in
            guard let matrix = rows[site] else {
                throw CommandError("\(source.name) has no \(site.shortName)", remedy: "see help sites")
            }
            return matrix
        }
    }
}
