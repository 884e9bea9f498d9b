#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A generator of random numbers that depend on a seed only: SplitMix64 (Steele, Lea and Flood 2014).
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// Makes the generator of one of a seed's 2^64 streams, chosen by a number or by a path of numbers such as (prompt,
    /// continuation). Its numbers depend only on the seed and its own path, not on how many other streams there are.
    package init(seed: UInt64, stream path: Int...) { self.init(seed: seed, path: path) }

    init(seed: UInt64, path: [Int]) {
        state = seed
        // Each step starts from a mixed state, so that neighbouring streams are far apart in the generator's one cycle.
        for place in path { state = next() ^ SeededRandom.mixed(UInt64(bitPattern: Int64(place))) }
    }

    private static func mixed(_ number: UInt64) -> UInt64 {
        var random = SeededRandom(seed: ~number)
        return random.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Returns a random number that is uniform in (0, 1).
    package mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// Returns `count` independent standard normal random numbers (Box and Muller 1958).
    package mutating func normal(count: Int) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(count + 1)
        while result.count < count {
            let radius = (-2 * log(uniform())).squareRoot()
            let angle = 2 * Double.pi * uniform()
            result.append(radius * cos(angle))
            result.append(radius * sin(angle))
        }
        if result.count > count { result.removeLast() }
        return result
    }

    /// Returns `count` random numbers of 0..<total without replacement, ascending; all of them if there are fewer.
    package mutating func sample(_ count: Int, of total: Int) -> [Int] {
        var chosen = Set<Int>()
        // This is Floyd's algorithm, with one draw for each number chosen.
        for top in (total - min(count, total))..<total {
            let drawn = Int.random(in: 0...top, using: &self)
            chosen.insert(chosen.contains(drawn) ? top : drawn)
        }
        return chosen.sorted()
    }
}
