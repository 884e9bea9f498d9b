import Checkpoints
import Language

/// The name that a checkpoint receives when the user gives none.
enum CheckpointName {
    /// Returns the name for a path: `pearl-base` for the file `Checkpoints/pearl-base.h5` and for the folder
    /// `Models/pearl-base`.
    static func of(_ path: String) -> String {
        var name = Checkpoint.label(of: expandTilde(path))
        for ending in [".hdf5", ".h5", ".safetensors"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        // Characters that a name can't have, such as blanks, become `_`. A name that would begin with a digit gets `_`
        // in front, as in `_7b`.
        name = String(name.map { Name.isValid("a\($0)") ? $0 : "_" })
        return name.isEmpty || Name.isValid(name) ? name : "_\(name)"
    }
}
