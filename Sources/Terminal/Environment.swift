#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The environment variables of the process. A variable that is empty counts as not set.
package enum Environment {
    package static func value(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    package static func isSet(_ name: String) -> Bool { value(name) != nil }
}
