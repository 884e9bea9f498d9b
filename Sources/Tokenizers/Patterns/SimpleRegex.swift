/// A regular expression without groups or alternatives: characters and classes, each of which may be repeated.
///
/// Repetitions are greedy and the leftmost match counts, as in the library's engine (Onigmo). Time is linear in the
/// text whatever the pattern, since no state is tried twice at the same place (Kleene 1956, with a memory of what
/// failed), so that no file can bring a pattern that takes forever.
struct SimpleRegex: Sendable {
    /// One character: any of the ranges or of the classes, or none of them.
    struct CharacterSet: Sendable {
        var ranges: [ClosedRange<UInt32>] = []
        var classes: ScalarClass = []
        /// Classes of which a character has to lack one, as `\S`.
        var lacking: [ScalarClass] = []
        var isNegated = false

        @inline(__always)
        func contains(_ scalar: UInt32, _ scalarClass: ScalarClass) -> Bool {
            let isIn =
                !classes.isDisjoint(with: scalarClass) || ranges.contains { $0.contains(scalar) }
                || lacking.contains { $0.isDisjoint(with: scalarClass) }
            return isIn != isNegated
        }
    }

    enum Step: Sendable {
        case one(CharacterSet)
        case optional(CharacterSet)
        case any(CharacterSet)
    }

    /// More steps than this do not fit the memory of states, one bit each.
    static let stepLimit = 63

    let steps: [Step]

    /// The matches in a text, one after another.
    struct Matcher {
        private let steps: [Step]
        private let text: UTF8Text
        private let base: Int
        /// The steps that were tried at each place, a bit each: to try one again would fail again.
        private var tried: [UInt64]
        private var alternatives: [(step: Int, position: Int)] = []

        init(_ regex: SimpleRegex, _ text: UTF8Text, from start: Int) {
            steps = regex.steps
            self.text = text
            base = start
            tried = [UInt64](repeating: 0, count: text.end - start + 1)
        }

        /// The first match that starts at `start` or behind it.
        mutating func next(from start: Int) -> Range<Int>? {
            var position = start
            while position < text.end {
                if let end = end(from: position) {
                    // What was tried here led to the match; behind it only failures were noted.
                    tried[end - base] = 0
                    return position..<end
                }
                position += text.scalar(at: position).width
            }
            return nil
        }

        private mutating func end(from start: Int) -> Int? {
            alternatives.removeAll(keepingCapacity: true)
            alternatives.append((0, start))
            while var (step, position) = alternatives.popLast() {
                while true {
                    guard step < steps.count else { return position }
                    let bit: UInt64 = 1 << UInt64(step)
                    guard tried[position - base] & bit == 0 else { break }
                    tried[position - base] |= bit
                    switch steps[step] {
                    case .one(let set):
                        guard let next = match(set, at: position) else { break }
                        (step, position) = (step + 1, next)
                        continue
                    case .optional(let set):
                        guard let next = match(set, at: position) else {
                            step += 1
                            continue
                        }
                        alternatives.append((step + 1, position))
                        (step, position) = (step + 1, next)
                        continue
                    case .any(let set):
                        guard let next = match(set, at: position) else {
                            step += 1
                            continue
                        }
                        alternatives.append((step + 1, position))
                        position = next
                        continue
                    }
                    break
                }
            }
            return nil
        }

        @inline(__always)
        private func match(_ set: CharacterSet, at position: Int) -> Int? {
            guard position < text.end else { return nil }
            let (scalar, width) = text.scalar(at: position)
            return set.contains(scalar, text.classes[scalar]) ? position + width : nil
        }
    }
}
