import Checkpoints
import LinearAlgebra
package import Models
package import Sites
import TerminalText
import Control

extension RunContext {
    /// Announces how long a run of a checkpoint's model will take, and does it. An answer that is NaN or infinite is an
    /// error that names the tensor to blame.
    package func run(
        _ checkpoint: LoadedCheckpoint, _ sequences: TokenSequences, taps: [any Tap] = [],
        patterns: [any PatternTap] = [], edits: [any Edit]? = nil, logits: LogitsRequest? = nil,
        choices: RunChoices? = nil
    ) throws {
        var task = RunTask(sequences)
        (task.taps, task.patterns, task.edits, task.logits) = (taps, patterns, edits, logits)
        task.choices = choices ?? RunChoices(precision: precision)
        task.logitRows = logits?.rows.count ?? 0
        task.last = try checkpoint.configuration().lastSite(
            taps: taps, patterns: patterns, hasLogits: logits != nil)
        try announce(task, checkpoint)
        try run(checkpoint, task)
    }

    /// Does a run of a checkpoint's model that has been announced, within its memory limit, and notes its speed.
    package func run(_ checkpoint: LoadedCheckpoint, _ task: RunTask) throws {
        let shape = try task.shape ?? plan(task, checkpoint).shape
        let started = Clock.seconds()
        let summary = try checkpoint.namingBadTensors(self) {
            let runner = try checkpoint.runner(pool: pool, shape: shape)
            runner.precision = task.choices.precision
            return try runner.run(
                task.sequences, taps: task.taps, edits: task.edits ?? checkpoint.edits.active, patterns: task.patterns,
                logits: task.logits, from: task.start, promptTokens: task.promptTokens, control: control)
        }
        history.operations += summary.operations
        history.speeds.note(
            checkpoint, operations: try cost(task, checkpoint).operations, seconds: Clock.seconds() - started)
    }

    /// Runs the checkpoint over a few tokens, and checks that the residual stream is the sum of its parts everywhere.
    ///
    /// - Throws: `ModelError` and `WorkbenchError` that name what does not hold; `CancellationError`.
    package func selfTest(_ checkpoint: LoadedCheckpoint) throws {
        try checkpoint.namingBadTensors(self) { try runner(checkpoint).selfTest(control: control) }
    }

    // MARK: Memory

    /// Returns how a run of a checkpoint's model divides its work so that it stays within its memory limit.
    ///
    /// - Throws: `WorkbenchError` that names what the run needs, if that is more than it may take or than is available.
    package func plan(_ task: RunTask, _ checkpoint: LoadedCheckpoint) throws -> (shape: RunnerShape, plan: RunPlan) {
        let c = try checkpoint.model().configuration
        let needs = memory(c, task.sequences, task.selections, hasLogits: task.logitRows > 0)
        let limit = task.choices.memory ?? memory
        let available = MachineMemory.available()
        if let limit {
            guard let plan = needs.plan(budget: limit.bytes) else {
                throw WorkbenchError.smallLimit(limit, longest: needs.longest, smallest: needs.smallest)
            }
            try check(plan.bytes, task, available)
            return (shape(plan, needs), plan)
        }
        let packs = needs.packedBytes <= MachineMemory.total / 8
        let plan = needs.defaultPlan(packsWeights: packs)
        // Weights that earlier runs have packed take no further memory.
        let free = available.map { $0 + min(checkpoint.packedBytes, needs.packedBytes) - task.resultBytes }
        if let free, plan.bytes > free, let smaller = needs.plan(budget: free - free / 16) {
            return (shape(smaller, needs), smaller)
        }
        try check(plan.bytes, task, free.map { $0 + task.resultBytes })
        return (RunnerShape(), plan)
    }

    /// Returns the memory that runs of a model over some prompts take on this context's threads.
    package func memory(
        _ c: ModelConfiguration, _ sequences: TokenSequences, _ selections: [SiteSelection], hasLogits: Bool
    ) -> RunMemory {
        RunMemory(
            c, threads: pool.threadCount, sequences: sequences, selections: selections, logits: hasLogits)
    }

    private func shape(_ plan: RunPlan, _ needs: RunMemory) -> RunnerShape {
        RunnerShape(
            sweepBytes: plan.sweepTokens * needs.sweepBytes, packTokens: plan.packTokens,
            packsWeights: plan.packsWeights)
    }

    private func check(_ bytes: Int, _ task: RunTask, _ available: Int?) throws {
        let (total, overflow) = bytes.addingReportingOverflow(task.resultBytes)
        guard let available, overflow || total > available else { return }
        throw WorkbenchError.noMemory(
            run: bytes, result: task.resultBytes, available: available)
    }

    // MARK: Time

    /// Returns the floating-point operations of a run of a checkpoint's model, and the bytes of weights that it reads.
    package func cost(_ task: RunTask, _ checkpoint: LoadedCheckpoint) throws -> RunCost {
        RunCost(
            try checkpoint.configuration(),
            tensors: checkpoint.file.tensors.map {
                .init(name: $0.name, shape: $0.shape, byteCount: $0.byteCount)
            }, sequences: task.sequences, last: task.last, logitRows: task.logitRows)
    }

    /// Estimates the time and memory of a run of a checkpoint's model; nil if its speed is unknown and it has too few
    /// operations to be worth a probe.
    ///
    /// The speed is that of earlier runs of this checkpoint in the session, else that of a probe: a tenth of a second
    /// of products and of reading.
    /// - Parameter worthProbing: the fewest operations for which a probe is made.
    package func estimate(_ task: RunTask, _ checkpoint: LoadedCheckpoint, worthProbing: Double) throws -> RunEstimate?
    {
        let cost = try cost(task, checkpoint)
        let (_, plan) = try plan(task, checkpoint)
        let groups = task.sequences.groups(0..<task.sequences.count, limit: plan.sweepTokens)
        var estimate = RunEstimate(
            operations: cost.operations, sweeps: groups.count, weightBytes: cost.weightBytes,
            memoryBytes: plan.bytes + task.resultBytes, low: 0, high: 0, source: "")
        if let known = history.speeds.speed(checkpoint) {
            estimate.low = 0.8 * cost.operations / known.perSecond
            estimate.high = 1.25 * cost.operations / known.perSecond
            estimate.source =
                "\(NumberFormat.significant(known.perSecond * 1e-9, digits: 3)) GFLOP/s of an earlier run of this session"
            return estimate
        }
        guard cost.operations >= worthProbing else { return nil }
        let speed = try SpeedProbe.product(checkpoint.model().configuration, pool: pool, control: control)
        // Only tensors that are used from where they lie in the file are read; others are decoded when they are bound.
        let views = checkpoint.file.tensors.lazy.filter { $0.offset != nil }
            .compactMap { try? checkpoint.file.tensor($0.name) }
        let reading = try SpeedProbe.read(views, control: control)
        let bytes = Double(cost.weightBytes) * Double(groups.count)
        estimate.low = cost.operations / speed
        // Norms, attention and activation functions add up to half of the products' time.
        estimate.high = 1.6 * cost.operations / speed + (reading.map { bytes / $0 } ?? 0)
        estimate.source =
            "a probe: \(NumberFormat.significant(speed * 1e-9, digits: 3)) GFLOP/s of products"
            + (reading.map { ", \(NumberFormat.significant($0 * 1e-9, digits: 3)) GB/s of reading" } ?? "")
        return estimate
    }

    /// Tells the user how long a run of a checkpoint's model will take, if it is long and estimates are wanted.
    package func announce(_ task: RunTask, _ checkpoint: LoadedCheckpoint) throws { try announce([(task, checkpoint)]) }

    /// Tells the user how long several model runs will take together, if they are long and estimates are wanted.
    ///
    /// - Parameter runs: at least one; several runs are over the same prompts, one after another.
    package func announce(_ runs: [(task: RunTask, checkpoint: LoadedCheckpoint)]) throws {
        guard wantsEstimates else { return }
        // If a machine takes ten seconds for fewer operations, the reason is one that no probe would show.
        let estimates = try runs.compactMap { try estimate($0.task, $0.checkpoint, worthProbing: 1e11) }
        let (low, high) = estimates.reduce((0, 0)) { ($0.0 + $1.low, $0.1 + $1.high) }
        guard (low * high).squareRoot() > 10 else { return }
        let sequences = runs[0].task.sequences
        tell(
            .estimate(
                low: low, high: high, prompts: sequences.count, tokens: sequences.tokens.count, runs: runs.count))
    }
}
