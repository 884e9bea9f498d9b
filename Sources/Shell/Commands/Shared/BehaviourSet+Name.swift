import Directions
import Workbench

extension BehaviourSet {
    /// Makes the set from the prompts of that name in the session.
    init(_ name: String, _ checkpoint: LoadedCheckpoint, _ session: Session) throws {
        try self.init(name, session.studied(named: name), checkpoint, session.context())
    }
}
