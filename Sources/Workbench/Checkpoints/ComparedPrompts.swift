import LinearAlgebra
import Models
import Sites
import TerminalText
import Tokenizers

/// Prompts that two checkpoints see as the same tokens, with the positions at which they are compared.
package struct ComparedPrompts {
    /// Where each stands in the set, from 0.
    package var numbers: [Int] = []
    package var ids: [[Int32]] = []
    /// Ascending; at least one a prompt.
    package var positions: [[Int]] = []
    /// Prompts that have no such position.
    package var leftOut = 0

    package init(numbers: [Int] = [], ids: [[Int32]] = [], positions: [[Int]] = []) {
        self.numbers = numbers
        self.ids = ids
        self.positions = positions
    }
}
