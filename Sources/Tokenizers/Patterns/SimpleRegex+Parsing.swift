extension SimpleRegex {
    /// Why a pattern is not one of these.
    struct Refusal: Error, Equatable {
        let reason: String
    }

    /// Reads a pattern in Onigmo's syntax (https://github.com/k-takata/Onigmo/blob/master/doc/RE).
    init(_ pattern: String) throws(Refusal) {
        var parser = Parser(scalars: Array(pattern.unicodeScalars))
        steps = try parser.parse()
    }

    private struct Parser {
        let scalars: [Unicode.Scalar]
        var position = 0

        private static let digits: ClosedRange<Unicode.Scalar> = "0"..."9"
        /// What stands for itself behind a backslash.
        private static let escaped = "\\.[](){}*+?|^$-/#&~ ".unicodeScalars

        private mutating func take() -> Unicode.Scalar? {
            guard position < scalars.count else { return nil }
            defer { position += 1 }
            return scalars[position]
        }

        private var upcoming: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

        mutating func parse() throws(Refusal) -> [Step] {
            var steps: [Step] = []
            while let scalar = take() {
                let set: CharacterSet
                switch scalar {
                case "[": set = try parseSet()
                case "\\": set = try parseEscape()
                case ".": set = CharacterSet(ranges: [0x0A...0x0A], isNegated: true)
                case "(", ")": throw Refusal(reason: "groups are not implemented")
                case "|": throw Refusal(reason: "alternatives are not implemented")
                case "^", "$": throw Refusal(reason: "anchors are not implemented")
                case "*", "+", "?", "{", "}", "]":
                    throw Refusal(reason: "\"\(scalar)\" stands where a character should")
                default: set = CharacterSet(ranges: [scalar.value...scalar.value])
                }
                let (least, most) = try parseRepetition()
                let count = least + (most.map { $0 - least } ?? 1)
                guard steps.count + count <= SimpleRegex.stepLimit else {
                    throw Refusal(reason: "it is longer than \(SimpleRegex.stepLimit) characters with its repetitions")
                }
                for _ in 0..<least { steps.append(.one(set)) }
                if let most {
                    for _ in least..<most { steps.append(.optional(set)) }
                } else {
                    steps.append(.any(set))
                }
            }
            let canBeEmpty = steps.allSatisfy { if case .one = $0 { false } else { true } }
            guard !canBeEmpty else { throw Refusal(reason: "it matches the empty text") }
            return steps
        }

        /// How often at least and at most; nil: any number of times.
        private mutating func parseRepetition() throws(Refusal) -> (least: Int, most: Int?) {
            let repetition: (least: Int, most: Int?)
            switch upcoming {
            case "?": repetition = (0, 1)
            case "*": repetition = (0, nil)
            case "+": repetition = (1, nil)
            case "{":
                position += 1
                repetition = try parseCounts()
                position -= 1
            default: return (1, 1)
            }
            position += 1
            if let upcoming, "?*+{".unicodeScalars.contains(upcoming) {
                throw Refusal(reason: "lazy, possessive and repeated repetitions are not implemented")
            }
            return repetition
        }

        /// `n}`, `n,}` or `n,m}`; leaves `position` behind the brace.
        private mutating func parseCounts() throws(Refusal) -> (least: Int, most: Int?) {
            let problem = Refusal(
                reason: "a repetition should be {n}, {n,} or {n,m} with n at most m at most \(SimpleRegex.stepLimit)")
            func number(_ parser: inout Parser) -> Int? {
                var value: Int?
                while let digit = parser.upcoming, Self.digits.contains(digit) {
                    value = min((value ?? 0) * 10 + Int(digit.value - 48), 1000)
                    parser.position += 1
                }
                return value
            }
            guard let least = number(&self), least <= SimpleRegex.stepLimit else { throw problem }
            switch take() {
            case "}": return (least, least)
            case ",":
                let most = number(&self)
                guard take() == "}", most.map({ (max(least, 1)...SimpleRegex.stepLimit).contains($0) }) ?? true else {
                    throw problem
                }
                return (least, most)
            default: throw problem
            }
        }

        /// What follows a backslash.
        private mutating func parseEscape() throws(Refusal) -> CharacterSet {
            guard let scalar = take() else { throw Refusal(reason: "it ends in a backslash") }
            switch scalar {
            case "s": return CharacterSet(classes: .space)
            case "S": return CharacterSet(lacking: [.space])
            case "d": return CharacterSet(classes: .decimal)
            case "D": return CharacterSet(lacking: [.decimal])
            case "n": return CharacterSet(ranges: [0x0A...0x0A])
            case "r": return CharacterSet(ranges: [0x0D...0x0D])
            case "t": return CharacterSet(ranges: [0x09...0x09])
            case "p", "P": return try parseProperty(isNegated: scalar == "P")
            default:
                guard Self.escaped.contains(scalar) else {
                    throw Refusal(reason: "\("\\\(scalar)".quoted) is not implemented")
                }
                return CharacterSet(ranges: [scalar.value...scalar.value])
            }
        }

        private mutating func parseProperty(isNegated: Bool) throws(Refusal) -> CharacterSet {
            var name = ""
            if take() == "{" {
                while let scalar = take(), scalar != "}" { name.unicodeScalars.append(scalar) }
            }
            let classes: ScalarClass
            switch name {
            case "L": classes = .letter
            case "N": classes = .number
            case "M": classes = .mark
            case "Ll": classes = .lower
            case "Nd": classes = .decimal
            default: throw Refusal(reason: "the property \(name.quoted) is not implemented; L, Ll, M, N and Nd are")
            }
            return isNegated ? CharacterSet(lacking: [classes]) : CharacterSet(classes: classes)
        }

        /// A set, behind its opening bracket.
        private mutating func parseSet() throws(Refusal) -> CharacterSet {
            var set = CharacterSet()
            if upcoming == "^" {
                set.isNegated = true
                position += 1
            }
            var isEmpty = true
            while let scalar = take() {
                if scalar == "]", !isEmpty { return set }
                isEmpty = false
                var item: CharacterSet
                switch scalar {
                case "\\": item = try parseEscape()
                case "[", "]", "&":
                    throw Refusal(reason: "\"\(scalar)\" in a set is not implemented without a backslash")
                case "-" where upcoming == "]":
                    item = CharacterSet(ranges: [0x2D...0x2D])
                case "-": throw Refusal(reason: "\"-\" in a set is not implemented without a backslash")
                default: item = CharacterSet(ranges: [scalar.value...scalar.value])
                }
                if upcoming == "-", position + 1 < scalars.count, scalars[position + 1] != "]" {
                    position += 1
                    guard let first = item.ranges.first?.lowerBound, let last = take() else {
                        throw Refusal(reason: "a range in a set should be between two characters")
                    }
                    let end = last == "\\" ? try parseEscape() : CharacterSet(ranges: [last.value...last.value])
                    guard let last = end.ranges.first?.upperBound, first <= last, last != 0x5B else {
                        throw Refusal(reason: "a range in a set should be between two characters")
                    }
                    item = CharacterSet(ranges: [first...last])
                }
                set.ranges += item.ranges
                set.classes.formUnion(item.classes)
                set.lacking += item.lacking
            }
            throw Refusal(reason: "a set does not end")
        }
    }
}
