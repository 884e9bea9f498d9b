import TerminalText
import Testing

@testable import TerminalText

@Suite struct NumberFormatTests {
    @Test(
        arguments: [
            (0.001234, "0.001234"), (0.00001235, "1.235e-05"), (12350, "12350"), (123456.78, "123457"), (1, "1"),
            (-0.0, "0"),
            (0.1, "0.1"), (1.0 / 3, "0.3333"), (2.0 / 3, "0.6667"), (99999.5, "100000"), (9.9996, "10"), (1e7, "1e+07"),
            (9_999_999.6, "1e+07"), (9_999_999, "9999999"), (0.0001, "0.0001"), (0.00009999, "9.999e-05"),
            (0.000099999, "0.0001"), (-1.5, "-1.5"), (.leastNonzeroMagnitude, "4.941e-324"),
            (.greatestFiniteMagnitude, "1.798e+308"), (.nan, "NaN"), (.infinity, "Inf"), (-.infinity, "-Inf"),
        ] as [(Double, String)])
    func fourSignificantDigits(number: Double, text: String) {
        #expect(NumberFormat.significant(number) == text)
    }

    @Test func otherDigits() {
        #expect(NumberFormat.significant(3.14159265, digits: 2) == "3.1")
        #expect(NumberFormat.significant(3.14159265, digits: 7) == "3.141593")
        #expect(NumberFormat.significant(0.1, digits: 99) == "0.1")
        #expect(NumberFormat.significant(123, digits: 0) == "123")
    }

    @Test func intervals() {
        #expect(NumberFormat.interval(value: 1.23, low: 1.1, high: 1.4) == "1.23 [1.1, 1.4]")
        #expect(NumberFormat.interval(value: .nan, low: -.infinity, high: 2) == "NaN [-Inf, 2]")
    }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (269_060_552, "269.1 MB"), (999_949, "999.9 kB"), (999_950, "1 MB"),
        (-1500, "-1.5 kB"), (Int.max, "9.2 EB"), (Int.min, "-9.2 EB"),
    ])
    func bytes(count: Int, text: String) {
        #expect(NumberFormat.bytes(count) == text)
    }

    @Test func counts() {
        #expect(NumberFormat.count(134_515_008) == "134.5 M")
        #expect(NumberFormat.count(7) == "7")
    }
}
