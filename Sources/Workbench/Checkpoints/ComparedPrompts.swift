import LinearAlgebra
import Models
import Sites
import TerminalText
import Tokenizers

/// Prompts that two checkpoints see as the same tokens, with the positions at which they are compared.
package struct ComparedPrompts {
    /// The index of each prompt in the set that it comes from, from 0.
    package var numbers: [Int] = []
    /// The token ids of each prompt.
    package var ids: [[Int32]] = []
    /// The token positions of each prompt at which two checkpoints are compared, ascending, at least one for each
    /// prompt.
    package var positions: [[Int]] = []
    /// The number of prompts that were left out because they have no token position to compare.
    package var leftOut = 0

    package init(numbers: [Int] = [], ids: [[Int32]] = [], positions: [[Int]] = []) {
        self.numbers = numbers
        self.ids = ids
        self.positions = positions
    }
}
