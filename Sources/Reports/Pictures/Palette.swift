#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// Colours of pictures, made in OKLCH (Ottosson 2020, "A perceptual color space for image processing"), so that equal
/// steps look equal and lightness alone tells the order.
package enum Palette {
    package struct RGB: Sendable, Equatable {
        package let red: UInt8
        package let green: UInt8
        package let blue: UInt8

        var hexadecimal: String {
            "#"
                + [red, green, blue].map { component in
                    (component < 16 ? "0" : "") + String(component, radix: 16)
                }.joined()
        }
    }

    /// How many colours a terminal shows.
    package enum Depth: Sendable, Equatable {
        /// The 6 × 6 × 6 cube of xterm.
        case indexed256
        case trueColor
    }

    /// From dark violet at 0 through teal to light yellow at 1.
    static func heat(_ share: Double) -> RGB {
        let t = min(max(share, 0), 1)
        let middle = (2 * t - 1) * (2 * t - 1)
        return rgb(lightness: 0.27 + 0.66 * t, chroma: 0.105 + 0.06 * middle, hue: 305 - 200 * t)
    }

    /// One of a few hues of the same lightness, for curves.
    static func curve(_ index: Int) -> RGB {
        rgb(lightness: 0.6, chroma: 0.13, hue: [255, 45, 150, 350, 95, 200][index % 6])
    }

    /// A light tone for a band behind curves: grey, then hues that no early curve has.
    static func band(_ index: Int) -> RGB {
        rgb(lightness: 0.75, chroma: index == 0 ? 0 : 0.11, hue: [0, 95, 320, 200][index % 4])
    }

    /// - Parameter hue: in degrees.
    private static func rgb(lightness: Double, chroma: Double, hue: Double) -> RGB {
        let a = chroma * cos(hue * .pi / 180)
        let b = chroma * sin(hue * .pi / 180)
        func cube(_ x: Double) -> Double { x * x * x }
        let l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b)
        let m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b)
        let s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b)
        return RGB(
            red: encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            green: encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            blue: encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))
    }

    /// The sRGB transfer function (IEC 61966-2-1).
    private static func encoded(_ linear: Double) -> UInt8 {
        let x = min(max(linear, 0), 1)
        return UInt8((255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055)).rounded())
    }
}

extension Palette.RGB {
    /// The parameters of SGR after 38 or 48.
    func parameters(_ depth: Palette.Depth) -> String {
        switch depth {
        case .trueColor: return "2;\(red);\(green);\(blue)"
        case .indexed256:
            // Levels of the cube: 0, 95, 135, 175, 215, 255.
            func level(_ x: UInt8) -> Int { x < 48 ? 0 : x < 115 ? 1 : (Int(x) - 35) / 40 }
            return "5;\(16 + 36 * level(red) + 6 * level(green) + level(blue))"
        }
    }
}
