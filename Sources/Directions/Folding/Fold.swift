package import Checkpoints
package import Control
package import LinearAlgebra
package import Models
internal import Synchronization
package import Workbench

/// The removal of directions (the orthonormal rows of R) from all that a model writes into its residual stream: W <- (I
/// - R'R) W for the token embedding, learned positions, and the output matrices and biases of attention and MLP (Arditi
/// et al. 2024, section 2.4).
///
/// The model then computes the same as the unfolded model with h <- (I - R'R) h at every block's input, attention
/// output and MLP output.
package struct Fold: Sendable {
    /// The change that folding directions into a model made to one tensor W, which became W'.
    package struct Change: Sendable, Equatable {
        package let tensor: String
        package let shape: [Int]
        /// The largest change of a value of the tensor W, max |W' - W|, where W' is the folded tensor.
        package let largest: Double
        /// The Frobenius norm of the tensor's change, |W' - W|_F, where W' is the folded tensor.
        package let removed: Double
        /// The Frobenius norm |W|_F of the tensor before folding.
        package let norm: Double

        /// The tensor's relative change |W' - W|_F / |W|_F. A random subspace of k directions removes √(k / width) of a
        /// matrix, as a root mean square over such subspaces.
        package var share: Double { norm > 0 ? removed / norm : 0 }
    }

    /// The folded checkpoint, open in memory.
    package let checkpoint: Checkpoint
    /// The changes of the tensors that folding changed, in the order of computation.
    package let changes: [Change]
    /// The name of the output matrix that a tied model received for itself, with the embedding's rows as they were. It
    /// is nil if the model already had one.
    package let separated: String?

    /// Makes a copy of a checkpoint in which directions are removed from all weights that write to the residual stream.
    ///
    /// - Parameters:
    ///   - subspace: The directions to remove, of the model's width.
    ///   - checkpoint: The checkpoint, which stays as it is.
    ///   - model: The model that `checkpoint` holds.
    ///   - label: The name of the folded checkpoint in messages.
    ///   - recipeJSON: The recipe (a record of how it was made) of the folded checkpoint.
    /// - Throws: `DirectionsError` for directions of another width, for a model with norms after its parts, and for
    ///   values that are not finite. `CancellationError`.
    package init(
        _ subspace: Subspace, into checkpoint: Checkpoint, model: Decoder, label: String, recipeJSON: [UInt8],
        pool: ThreadPool, control: RunControl
    ) throws {
        let writers = model.residualWriters
        try Self.check(subspace, model, file: checkpoint.label)
        // The rows are orthonormal to float64's last digits, so projecting once is as good as projecting at every
        // layer.
        let projection = Projection(try Subspace.orthonormalRows(subspace.basis))
        var derivation = Derivation(of: checkpoint, recipeJSON: recipeJSON)
        separated = model.configuration.tiedEmbeddings ? model.unembeddingName : nil
        if let separated {
            try derivation.separate(separated, from: model.embedding.view.name, bodyPrefix: model.bodyPrefix)
        }
        var changes: [Change] = []
        for (index, writer) in writers.enumerated() {
            try control.checkCancellation()
            control.report(done: index, total: writers.count, unit: "matrices folded")
            for (name, isVector) in [(writer.tensorName, false), (writer.biasName, true)] {
                guard let name, let view = try checkpoint.tensor(name) else { continue }
                let (tensor, change) = try projection.apply(
                    to: view, isRows: isVector || writer.storesVectorsAsRows, named: derivation.prefix + name,
                    file: checkpoint.label, pool)
                derivation.tensors.append(tensor)
                changes.append(change)
            }
        }
        self.changes = changes
        self.checkpoint = try Checkpoint(derivation, label: label)
    }

    /// Checks that directions can be folded into (removed from) a model's weights.
    ///
    /// - Throws: `DirectionsError` for directions of another width, and for a model with norms after its parts.
    package static func check(_ subspace: Subspace, _ model: Decoder, file: String) throws {
        let width = model.configuration.hiddenSize
        guard subspace.width == width else {
            throw DirectionsError.wrongWidth(directions: subspace.width, model: width, file: file)
        }
        if let writer = model.residualWriters.first(where: \.hasNormAfter) {
            throw DirectionsError.normAfter(
                architecture: model.configuration.modelType, tensor: writer.tensorName)
        }
    }

    /// Returns the number of bytes that folding takes: those of the tensors that it changes, as f32, or as f64 if they
    /// are f64.
    package static func byteCount(_ model: Decoder) -> Int {
        model.residualWriters.reduce(0) { sum, writer in
            let bias = writer.weight.bias?.count ?? 0
            return sum + (writer.weight.view.count + bias) * (writer.weight.elementType == .f64 ? 8 : 4)
        }
    }
}

/// The projection x <- (I - R'R) x of the vectors of stored tensors, in float64; the rows of R are the removed
/// directions.
private struct Projection {
    /// The k directions R that the projection removes, [k, width], which are orthonormal.
    private let rows: [[Double]]
    private let width: Int

    init(_ rows: [[Double]]) {
        self.rows = rows
        width = rows[0].count
    }

    /// The sums over a tensor's changes that one parallel task computes.
    private struct Part {
        var largest = 0.0
        var removed = 0.0
        var norm = 0.0
        var isFinite = true

        mutating func add(_ old: Double, _ new: Double) {
            let change = new - old
            largest = max(largest, abs(change))
            removed += change * change
            norm += old * old
            isFinite = isFinite && new.isFinite
        }
    }

    /// Removes the directions from all vectors of a tensor.
    ///
    /// - Parameters:
    ///   - view: The stored tensor, which stays as it is.
    ///   - isRows: Whether each row of the tensor, or all of it, is a vector. Otherwise each column is.
    ///   - name: The name of the projected tensor.
    /// - Returns: The projected tensor, and its change.
    /// - Throws: `DirectionsError.overflow` if a value is not finite.
    func apply(
        to view: TensorView, isRows: Bool, named name: String, file: String, _ pool: ThreadPool
    ) throws -> (MemoryTensor, Fold.Change) {
        let type: ElementType = view.type == .f64 ? .f64 : .f32
        // The number of vectors in a task depends only on the shape, and so the resulting bits do, too.
        let vectors = view.count / width
        let step = isRows ? max(1, (1 << 16) / width) : 256
        let tasks = (vectors + step - 1) / step
        let parts = Mutex<[Part]>(Array(repeating: Part(), count: tasks))
        let tensor = try MemoryTensor(name: name, type: type, shape: view.shape, file: file) { target in
            try pool.run(tasks: tasks) { task, _ in
                let range = task * step..<min((task + 1) * step, vectors)
                let part =
                    isRows ? projectRows(view, range, target, type) : projectColumns(view, range, vectors, target, type)
                parts.withLock { $0[task] = part }
            }
        }
        var total = Part()
        for part in parts.withLock({ $0 }) {
            total.largest = max(total.largest, part.largest)
            total.removed += part.removed
            total.norm += part.norm
            total.isFinite = total.isFinite && part.isFinite
        }
        guard total.isFinite else { throw DirectionsError.overflow(tensor: view.name, file: file) }
        let change = Fold.Change(
            tensor: name, shape: view.shape, largest: total.largest, removed: total.removed.squareRoot(),
            norm: total.norm.squareRoot())
        return (tensor, change)
    }

    /// Removes the directions from those vectors of a tensor that lie one after another as rows, [vectors, width].
    private func projectRows(
        _ view: TensorView, _ range: Range<Int>, _ target: UnsafeMutableRawBufferPointer, _ type: ElementType
    ) -> Part {
        var part = Part()
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * width) { buffer in
            let old = UnsafeMutableBufferPointer(rebasing: buffer[..<width])
            let new = UnsafeMutableBufferPointer(rebasing: buffer[width...])
            for vector in range {
                view.copyDoubles(from: vector * width, into: old)
                _ = new.update(from: old)
                for row in rows {
                    row.withUnsafeBufferPointer { row in
                        var product = 0.0
                        for index in 0..<width { product += row[index] * old[index] }
                        for index in 0..<width { new[index] -= product * row[index] }
                    }
                }
                for index in 0..<width {
                    part.add(old[index], Self.store(new[index], at: vector * width + index, in: target, type))
                }
            }
        }
        return part
    }

    /// Removes the directions from those vectors of a tensor that are columns, [width, vectors].
    private func projectColumns(
        _ view: TensorView, _ range: Range<Int>, _ vectors: Int, _ target: UnsafeMutableRawBufferPointer,
        _ type: ElementType
    ) -> Part {
        var part = Part()
        let count = range.count
        // The buffer holds the columns, [width, count], and their coordinates, [k, count].
        withUnsafeTemporaryAllocation(of: Double.self, capacity: (width + rows.count) * count) { buffer in
            let old = buffer.baseAddress!
            let products = old + width * count
            products.initialize(repeating: 0, count: rows.count * count)
            for index in 0..<width {
                view.copyDoubles(
                    from: index * vectors + range.lowerBound,
                    into: UnsafeMutableBufferPointer(start: old + index * count, count: count))
                for (k, row) in rows.enumerated() {
                    let factor = row[index]
                    for column in 0..<count { products[k * count + column] += factor * old[index * count + column] }
                }
            }
            for index in 0..<width {
                for column in 0..<count {
                    let value = old[index * count + column]
                    var new = value
                    for k in rows.indices { new -= rows[k][index] * products[k * count + column] }
                    part.add(
                        value, Self.store(new, at: index * vectors + range.lowerBound + column, in: target, type))
                }
            }
        }
        return part
    }

    /// Stores a value, rounded to the tensor's type.
    ///
    /// - Returns: The value as it was stored.
    @inline(__always)
    private static func store(
        _ value: Double, at index: Int, in target: UnsafeMutableRawBufferPointer, _ type: ElementType
    ) -> Double {
        if type == .f64 {
            target.storeBytes(of: value, toByteOffset: index * 8, as: Double.self)
            return value
        }
        let rounded = Float(value)
        target.storeBytes(of: rounded, toByteOffset: index * 4, as: Float.self)
        return Double(rounded)
    }
}
