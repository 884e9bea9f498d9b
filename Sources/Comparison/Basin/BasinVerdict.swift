package import Geometry
import LinearAlgebra
import Models
package import Sites
package import Statistics

extension BasinRun {
    /// The result of comparing a class of prompts with another set at one site (a named place in the model).
    package struct AtSite {
        package let site: Site
        /// The measured difference in differences of dimension, class against other set; nil if a set has no dimension
        /// there.
        package let found: DifferenceInDifferences?
        /// The reason why no dimension could be measured at this site; nil if one was.
        package let reason: String?
        /// The p value of the site's test, by Holm's correction over all measured sites; nil if nothing was measured
        /// here.
        package var adjusted: Double?

        /// Whether the class of prompts lost dimensions against the other set: corrected p at most 0.05, interval below
        /// 0.
        package var isBelow: Bool { isSignificant && (found?.interval.upperBound ?? 0) < 0 }
        /// Whether the class of prompts gained dimensions against the other set: corrected p at most 0.05, interval
        /// above 0.
        package var isAbove: Bool { isSignificant && (found?.interval.lowerBound ?? 0) > 0 }
        private var isSignificant: Bool { (adjusted ?? 1) <= 0.05 }

        /// Whether the class of prompts itself has fewer dimensions in B than in A, whatever the other set has.
        package var hasFallen: Bool { (found?.ownInterval.upperBound ?? 0) < 0 }
        /// Whether the class and the other set had about the same dimension in checkpoint A, within a factor of 2. Sets
        /// that did not have no reason to change by the same amount.
        package var isAlike: Bool {
            guard let before = found?.before, before.first > 0 else { return false }
            return (0.5...2).contains(before.second / before.first)
        }
    }

    /// The comparison of a class of prompts with one other set, at every site.
    package struct Comparison {
        /// The name of the set that the class of prompts is compared with.
        package let other: String
        package let match: LengthMatch
        package var sites: [AtSite]
    }

    /// The verdict on whether tuning took dimensions from a class of prompts, with the comparisons that decide it.
    package struct ClassResult {
        package let name: String
        /// The comparison of the class with the open prompts.
        package let open: Comparison
        /// The comparison of the class with the control prompts, which look like its own.
        package let control: Comparison
        /// Supported: at one site the class has fewer dimensions than before, and lost them against the open prompts
        /// and against the control. Not supported: it differs from the open prompts, but not in this way. Not
        /// distinguishable: it differs from the open prompts at no site. Not testable: as for supported, but the
        /// control was not as homogeneous as the class.
        package let verdict: Verdict
        /// The index, among the compared sites, of the one that the verdict is about; nil if none could be measured.
        package let place: Int?
        /// The number of sites at which the verdict holds; 0 if the class can't be distinguished from the open prompts.
        package let sites: Int

        /// Judges whether a class of prompts lost dimensions by what holds in both comparisons at one and the same
        /// site; of the sites that decide, reports the one where the class changed most against the open prompts.
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
            // If no site decides, the one with the smallest p is reported, and of equal ones the largest change.
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
