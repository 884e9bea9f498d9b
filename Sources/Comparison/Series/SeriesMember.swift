import Checkpoints
import JSON
import Tokenizers
package import Workbench

/// One checkpoint of a series of checkpoints: already open, or a file that is opened when its turn comes.
package struct SeriesMember {
    package enum Source {
        case open(LoadedCheckpoint)
        case file(String)
    }

    package let name: String
    /// The number of training steps of the checkpoint, from the recipe in its file or from its name; nil if neither
    /// tells.
    package let steps: Int?
    private let source: Source
    /// The state that the member's files had when it was made.
    private let states: [String]

    /// Makes a member of a series of checkpoints and finds its training steps.
    ///
    /// - Throws: `HDF5Error` or `CheckpointError` for a file that is not a checkpoint.
    package init(name: String, _ source: Source) throws {
        self.name = name
        self.source = source
        let file =
            switch source {
            case .open(let checkpoint): checkpoint.file
            case .file(let path): try Checkpoint.open(path)
            }
        states = file.fileStates
        steps = Self.steps(recipe: file.recipeJSON) ?? Self.steps(name: name)
    }

    /// Returns the member's checkpoint for one run. One from a file is loaded anew each time, so that the weights that
    /// it packs are freed with it.
    ///
    /// - Throws: `ComparisonError.otherFile` if the path leads to another file by now, or to one that was written to; the
    ///   errors of opening the file.
    package func load() throws -> LoadedCheckpoint {
        switch source {
        case .open(let checkpoint): return checkpoint
        case .file(let path):
            let file = try Checkpoint.open(path)
            guard file.fileStates == states else { throw ComparisonError.otherFile(path) }
            return LoadedCheckpoint(file)
        }
    }

    /// Reads the number of training steps from a recipe such as `{"training": {"steps": 64}}` or `{"steps": 64}`; nil
    /// if it has none.
    package static func steps(recipe: [UInt8]?) -> Int? {
        guard let recipe, let json = try? JSONValue(parsing: recipe, file: "recipe") else { return nil }
        for object in [json["training"], json] {
            for key in ["steps", "step", "global_step"] {
                if let number = object?[key]?.int, number >= 0 { return number }
            }
        }
        return nil
    }

    /// Reads the number of training steps from a checkpoint's name, such as `pearl-step-64`, `checkpoint-500` or
    /// `iter_0001000`: the number after such a word; nil if there is none.
    package static func steps(name: String) -> Int? {
        guard let found = name.lowercased().firstMatch(of: /(?:steps?|checkpoint|iter)[-_=.]?([0-9]{1,12})/) else {
            return nil
        }
        return Int(found.1)
    }
}
