/// Adjusts the p values of a family of tests so that, with the bound 0.05, any false positive among them has a
/// probability of at most 5 %, however the tests depend on each other (Holm 1979, Scand. J. Stat. 6).
package enum HolmAdjustment {
    /// Returns Holm's adjusted p values, in the given order: for the i-th smallest of m, the maximum over j <= i of
    /// min(1, (m - j) p_(j)), where p_(j) is the j-th smallest, from 0.
    package static func adjusted(_ values: [Double]) -> [Double] {
        var result = values
        var largest = 0.0
        for (place, index) in values.indices.sorted(by: { (values[$0], $0) < (values[$1], $1) }).enumerated() {
            largest = max(largest, min(1, Double(values.count - place) * values[index]))
            result[index] = largest
        }
        return result
    }
}
