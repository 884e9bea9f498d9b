import LinearAlgebra
import Models
import Sites
import TerminalText
import Tokenizers

/// Prompts that two checkpoints see as the same tokens, with the positions at which they are compared.
package struct ComparedPrompts {
    /// The place of each prompt in its set, from 0.
    package var numbers: [Int] = []
    /// The token ids of each prompt.
    package var ids: [[Int32]] = []
    /// The positions of each prompt, ascending, at least one for each prompt.
    package var positions: [[Int]] = []
    /// The number of prompts that were left out because they have no such position.
    package var leftOut = 0

    package init(numbers: [Int] = [], ids: [[Int32]] = [], positions: [[Int]] = []) {
        self.numbers = numbers
        self.ids = ids
        self.positions = positions
    }
}
