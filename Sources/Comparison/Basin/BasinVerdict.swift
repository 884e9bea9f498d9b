package import Geometry
import LinearAlgebra
import Models
package import Sites
package import Statistics

extension BasinRun {
    /// One site of one comparison.
    package struct AtSite {
        package let site: Site
        /// Nil where a set has no dimension there.
        package let found: DifferenceInDifferences?
        /// Why not.
        package let reason: String?
        /// p by Holm over the sites of the comparison.
        package var adjusted: Double?

        /// Whether the class lost dimensions against the other set: the test and the interval must agree.
        package var isBelow: Bool { isSignificant && (found?.interval.upperBound ?? 0) < 0 }
        package var isAbove: Bool { isSignificant && (found?.interval.lowerBound ?? 0) > 0 }
        private var isSignificant: Bool { (adjusted ?? 1) <= 0.05 }

        /// Whether the class itself has fewer dimensions than before, whatever the other set has.
        package var hasFallen: Bool { (found?.ownInterval.upperBound ?? 0) < 0 }
        /// Whether both sets were about as homogeneous before: within a factor of 2 in dimension. Sets that are not have no
        /// reason to change by as much.
        package var isAlike: Bool {
            guard let before = found?.before, before.first > 0 else { return false }
            return (0.5...2).contains(before.second / before.first)
        }
    }

    /// A class against one other set.
    package struct Comparison {
        package let other: String
        package let match: LengthMatch
        package var sites: [AtSite]
    }

    /// A class, with what decides about it.
    package struct ClassResult {
        package let name: String
        package let open: Comparison
        package let control: Comparison
        /// Supported: at one site the class has fewer dimensions than before, and lost them against open prompts and against
        /// the control. Not supported: it differs from open prompts, but not so. Not distinguishable: it differs from open
        /// prompts at no site. Not testable: as supported, but the control was not as homogeneous as the class.
        package let verdict: Verdict
        /// Place of the site that the verdict speaks of; nil if nothing could be measured.
        package let place: Int?
        /// Sites at which the verdict holds.
        package let sites: Int

        /// Decides by what is so at one site; of the sites that decide the one where the class changed most.
        package static func judged(_ name: String, open: Comparison, control: Comparison) -> ClassResult {
            func size(_ place: Int) -> Double { abs(open.sites[place].found?.value ?? 0) }
            let places = open.sites.indices.filter { open.sites[$0].found != nil }
            let moved = places.filter { open.sites[$0].isBelow || open.sites[$0].isAbove }
            let lost = places.filter {
                open.sites[$0].isBelow && control.sites[$0].isBelow && open.sites[$0].hasFallen
                    && control.sites[$0].hasFallen
            }
            let alike = lost.filter { control.sites[$0].isAlike }
            let verdict: Verdict =
                !alike.isEmpty
                ? .supported : !lost.isEmpty ? .notTestable : moved.isEmpty ? .notDistinguishable : .notSupported
            let chosen = !alike.isEmpty ? alike : !lost.isEmpty ? lost : moved
            // If none decides, the one with the smallest p, then the largest change.
            let place =
                chosen.max { size($0) < size($1) }
                ?? places.min {
                    (open.sites[$0].found?.p ?? 1, -size($0)) < (open.sites[$1].found?.p ?? 1, -size($1))
                }
            return ClassResult(
                name: name, open: open, control: control, verdict: verdict, place: place, sites: chosen.count)
        }
    }
}
