import Checkpoints
import JSON
import Tokenizers

enum JSONValueReader {
    /// config.json of a checkpoint.
    static func read(_ checkpoint: Checkpoint) throws -> JSONValue {
        try JSONValue(parsing: checkpoint.configJSON ?? [], file: checkpoint.label)
    }
}
