import HDF5
import Testing

struct EscapingTests {
    @Test func errorsEscapeTheirParts() {
        let error = HDF5Error(
            .link, file: "a\u{1B}b", object: "/c\u{202E}", problem: "d\u{7}", remedy: "e\u{200B}")
        #expect(error.description == "a\\eb: /c\\u{202E}: d\\u{7}; e\\u{200B}")
    }
}
