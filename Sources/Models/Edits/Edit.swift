package import Sites

/// Changes activations in place as they are computed; everything after sees the change.
///
/// What is done to a row depends on that row, its prompt and its position alone, so that rows can be edited in any
/// order, on several threads, packed or alone.
package protocol Edit: Sendable {
    func applies(to site: Site) -> Bool
    /// - Parameter block: some rows of a pack; it may be only part of what the site has.
    func apply(at site: Site, to block: ActivationBlock)
}

/// Which positions of a prompt an edit changes. Positions count from the prompt's first token, also in generation.
package enum EditPositions: Sendable, Equatable {
    case all
    /// One position, from 0.
    case position(Int)
    /// This one and all after it.
    case from(Int)
    /// Those of the prompt, not of what is generated after it.
    case prompt
    /// The prompt's last, where the first token of what is generated comes from.
    case last

    /// - Parameter promptCount: tokens of the prompt, without those that were generated.
    func contains(_ position: Int, promptCount: Int) -> Bool {
        switch self {
        case .all: true
        case .position(let wanted): position == wanted
        case .from(let first): position >= first
        case .prompt: position < promptCount
        case .last: position == promptCount - 1
        }
    }
}

extension ActivationBlock {
    /// Gives `body` each row that is to be edited: its values [width], and where it comes from.
    func forRows(_ positions: EditPositions, _ body: (UnsafeMutablePointer<Float>, _ row: RowPlace) -> Void) {
        guard rows > 0 else { return }
        var prompt = sequences.prompt(ofRow: firstRow)
        for row in 0..<rows {
            let place = firstRow + row
            while place >= sequences.starts[prompt + 1] { prompt += 1 }
            let past = pasts.isEmpty ? 0 : pasts[prompt]
            let position = place - sequences.starts[prompt] + past
            let promptCount = promptTokens.isEmpty ? sequences.rows(of: prompt).count + past : promptTokens[prompt]
            if positions.contains(position, promptCount: promptCount) {
                body(
                    values + row * width,
                    RowPlace(prompt: prompt, position: position, token: sequences.tokens[place]))
            }
        }
    }
}

/// Where a row of a run comes from.
package struct RowPlace: Equatable {
    package let prompt: Int
    /// Counted from the prompt's first token, from 0.
    package let position: Int
    /// The token that stands there.
    package let token: Int32
}

extension TokenSequences {
    /// The prompt that a row belongs to, by bisection.
    package func prompt(ofRow row: Int) -> Int {
        var (low, high) = (0, count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if starts[middle] <= row { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
