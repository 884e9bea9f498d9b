import Directions
import Workbench

extension BehaviourSet {
    /// The set of prompts of that name.
    init(_ name: String, _ checkpoint: LoadedCheckpoint, _ session: Session) throws {
        try self.init(name, session.prompts(named: name), checkpoint, session.context())
    }
}
