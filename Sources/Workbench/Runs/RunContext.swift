import Checkpoints
package import Control
package import LinearAlgebra
package import Models
package import Sites

/// What a study computes with: threads, a control that stops it, a seed, limits, and what earlier runs have shown. The
/// session makes one for each command.
package final class RunContext {
    /// Something that happens while a study runs, for whoever watches it.
    package enum Event: Sendable {
        /// What follows is a part of something that has done so much of it already, and of the whole.
        case scope(done: Int, total: Int)
        /// That something is over.
        case scopeEnded
        /// A capture goes on where an earlier command stopped.
        case resumed(path: String, done: Int, of: Int)
        /// A long run begins: the least and the most seconds that it may take.
        case estimate(low: Double, high: Double, prompts: Int, tokens: Int, runs: Int)
    }

    package let pool: ThreadPool
    package let control: RunControl
    package let seed: UInt64
    /// The memory that a run may take if its command sets no limit; nil: all that is available.
    package let memory: MemoryLimit?
    package let precision: Precision
    package let history: RunHistory
    package let calibrations: CalibrationCache
    /// Whether anybody sees how long a run will take, so that it is worth estimating.
    package let wantsEstimates: Bool
    package let tell: (Event) -> Void

    /// - Parameters:
    ///   - memory: what runs may take where a command says nothing; nil: what there is.
    ///   - history: of the session, which runs add to.
    ///   - wantsEstimates: whether anybody sees how long a run will take.
    ///   - tell: is told what happens meanwhile, on the thread that runs the study.
    package init(
        pool: ThreadPool, control: RunControl, seed: UInt64, memory: MemoryLimit? = nil, precision: Precision = .f32,
        history: RunHistory, calibrations: CalibrationCache, wantsEstimates: Bool = false,
        tell: @escaping (Event) -> Void = { _ in }
    ) {
        self.pool = pool
        self.control = control
        self.seed = seed
        self.memory = memory
        self.precision = precision
        self.history = history
        self.calibrations = calibrations
        self.wantsEstimates = wantsEstimates
        self.tell = tell
    }

    /// Does parts of something one after another, each with the progress of the whole.
    ///
    /// - Parameters:
    ///   - sizes: how much work each part is, in the unit that its runs count in.
    ///   - part: is given the part's place.
    package func parts(_ sizes: [Int], _ part: (Int) throws -> Void) rethrows {
        defer { tell(.scopeEnded) }
        for place in sizes.indices {
            tell(.scope(done: sizes[..<place].reduce(0, +), total: sizes.reduce(0, +)))
            try part(place)
        }
    }

    /// The runner of a checkpoint, as the last run left it.
    package func runner(_ checkpoint: LoadedCheckpoint, precision: Precision? = nil) throws -> Runner {
        let runner = try checkpoint.runner(pool: pool, shape: nil)
        runner.precision = precision ?? self.precision
        return runner
    }
}

/// What the runs of a session have shown.
package final class RunHistory {
    /// Floating-point operations of products since `operations` was last set.
    package var operations = 0.0
    /// Errors of products in bf16 that are known already.
    package var roundings: [RoundedHead: String] = [:]
    /// What runs have shown about the machine's speed.
    package var speeds = MeasuredSpeeds()

    package init() {}
}
