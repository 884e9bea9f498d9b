import HDF5

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// The error that opening throws; nil if it opens.
func errorOfOpening(_ path: String, limits: Limits = Limits()) -> HDF5Error? {
    do {
        _ = try File(path, limits: limits)
        return nil
    } catch {
        return error as? HDF5Error
    }
}
