/// Returns a number with its noun, such as `1 site` or `3 sites`.
package func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}

/// Returns the form of a verb that agrees with a number: `is` for 1, `are` for any other.
package func agreeing(_ count: Int, _ singular: String = "is", _ plural: String = "are") -> String {
    count == 1 ? singular : plural
}
