import Checkpoints
package import Control
package import LinearAlgebra
package import Models
package import Sites

/// Everything that a study computes with: threads, a control that stops it, a seed, limits, and the history of earlier
/// runs. The session makes one for each command.
package final class RunContext {
    /// Something that happens while a study runs, for whoever watches it.
    package enum Event: Sendable {
        /// The work that follows is part of larger work, of which `done` out of `total` is already finished.
        case scope(done: Int, total: Int)
        /// The work that the last `scope` event belonged to is over.
        case scopeEnded
        /// A capture of activations into a file continues where an earlier command stopped, after `done` of its
        /// prompts.
        case resumed(path: String, done: Int, of: Int)
        /// A long run of a model begins, with the least and the most seconds that it may take.
        case estimate(low: Double, high: Double, prompts: Int, tokens: Int, runs: Int)
        /// The numbers of the study rest on something that its report has to say.
        case premise(Premise)
    }

    package let pool: ThreadPool
    package let control: RunControl
    package let seed: UInt64
    /// The memory that a model's run may take if its command sets no limit; nil means all that is available.
    package let memory: MemoryLimit?
    /// The precision of matrix products, for model runs that choose none.
    package let precision: Precision
    package let history: RunHistory
    package let calibrations: CalibrationCache
    /// Whether anybody sees an estimate of how long a run will take, so that it is worth making.
    package let wantsEstimates: Bool
    /// A closure that is called with each event of a study, on the thread that runs the study.
    package let tell: (Event) -> Void

    /// Makes the context of a command.
    ///
    /// - Parameters:
    ///   - memory: the memory that a model's run may take if its command sets no limit; nil means all that is
    ///     available.
    ///   - history: the session's record of run speeds and rounding notes, to which runs add.
    ///   - wantsEstimates: whether anybody sees how long a run will take.
    ///   - tell: is called with each event, on the thread that runs the study.
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

    /// Does the parts of a larger work one after another, so that the progress of each is shown as progress of the
    /// whole.
    ///
    /// - Parameters:
    ///   - sizes: the amount of work of each part, in the unit in which its own progress reports count.
    ///   - part: does the part with the given index in `sizes`.
    package func parts(_ sizes: [Int], _ part: (Int) throws -> Void) rethrows {
        defer { tell(.scopeEnded) }
        for place in sizes.indices {
            tell(.scope(done: sizes[..<place].reduce(0, +), total: sizes.reduce(0, +)))
            try part(place)
        }
    }

    /// Returns the runner of a checkpoint's model: the last one if its threads are still those of this context, and
    /// otherwise a new one, which divides its work in the default way.
    package func runner(_ checkpoint: LoadedCheckpoint, precision: Precision? = nil) throws -> Runner {
        let runner = try checkpoint.runner(pool: pool, shape: nil)
        runner.precision = precision ?? self.precision
        return runner
    }
}

/// The observations that the runs of a session leave for later ones.
package final class RunHistory {
    /// The number of floating-point operations of matrix products since this was last set to 0.
    package var operations = 0.0
    /// The notes on errors of products in bf16 that are already known.
    package var roundings: [RoundedHead: String] = [:]
    /// The speeds of the session's model runs, by checkpoint.
    package var speeds = MeasuredSpeeds()
    /// What is already known of prompts' first rows.
    var firstRows: [FirstRowsKey: [[Int32]: FirstRow]] = [:]

    package init() {}
}
