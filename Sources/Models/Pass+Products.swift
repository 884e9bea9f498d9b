import Control
import LinearAlgebra

extension Pass {
    /// What becomes of a product's result.
    enum Destination {
        /// [rows, outputs], overwritten.
        case store(UnsafeMutablePointer<Float>)
        /// [rows, outputs], added to.
        case add(UnsafeMutablePointer<Float>)
    }

    /// Rows that a task multiplies where there are many: a block of them stays in a core's second cache while all panels
    /// of a weight pass by. Twice as many where the task makes the panels.
    private static let rowStep = 144

    /// Outputs of which a task keeps the result beside it.
    private static let resultStep = 384

    /// One task of a product: some rows, and some outputs of each of some weights.
    private struct ProductTask {
        let rows: Range<Int>
        /// By weight; one range, or all ranges of a task of all outputs.
        let outputs: [(weight: Int, range: Range<Int>)]
    }

    /// How the products of several weights with the same input are divided; the choice does not change the bits.
    private func tasks(_ operands: [Operand], rows: Int) -> [ProductTask] {
        // Weights that are no panels yet are worth taller tasks: each task makes panels of all of a weight.
        let makesPanels = operands.contains { $0.packed == nil }
        let step = makesPanels ? 2 * Self.rowStep : Self.rowStep
        let least = pool.threadCount == 1 ? 1 : makesPanels ? pool.threadCount : 2 * pool.threadCount
        let chunks = min(max((rows + step - 1) / step, least), rows / 64)
        // Where each weight is read in place, a task takes some rows and all outputs: its rows are arranged once.
        if chunks >= least, operands.allSatisfy(\.isInPlace) {
            let outputs = operands.indices.map { ($0, 0..<operands[$0].weight.outputs) }
            return Self.parts(0..<rows, by: (rows + chunks - 1) / chunks).map {
                ProductTask(rows: $0, outputs: outputs)
            }
        }
        // An even number of tasks of at most 192 outputs, so that two or four threads finish together.
        return operands.indices.flatMap { index in
            let outputs = operands[index].weight.outputs
            let count = 2 * ((outputs + 383) / 384)
            return Self.parts(0..<outputs, by: ((outputs + count - 1) / count + 15) / 16 * 16).map {
                ProductTask(rows: 0..<rows, outputs: [(index, $0)])
            }
        }
    }

    /// Parts of a range, at most `step` each.
    private static func parts(_ range: Range<Int>, by step: Int) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: max(step, 1)).map {
            $0..<min($0 + step, range.upperBound)
        }
    }

    /// x W' + b for several weights with the same input. x: [rows, inputs], dense.
    func linear(_ x: UnsafePointer<Float>, rows: Int? = nil, _ products: [(Weight, Destination)]) throws {
        try control.checkCancellation()
        let rows = rows ?? self.rows
        guard let inputs = products.first?.0.inputs else { return }
        let input = try self.input(x, rows: rows, width: inputs)
        let operands = try products.map { try operand($0.0, rows: rows) }
        for (weight, _) in products { count(operations: 2 * Double(rows) * Double(weight.outputs) * Double(inputs)) }
        let tasks = tasks(operands, rows: rows)
        try pool.run(tasks: tasks.count) { task, worker in
            let pieces = tasks[task].outputs.flatMap { index, outputs in
                Self.parts(outputs, by: Self.resultStep).map {
                    (
                        weight: products[index].0, destination: products[index].1, outputs: $0,
                        part: part(operands[index], $0, worker)
                    )
                }
            }
            for some in Self.parts(tasks[task].rows, by: 2 * Self.rowStep) {
                try control.checkCancellation()
                let a = input.rows(some, worker.products)
                for (weight, destination, outputs, part) in pieces {
                    let place = some.lowerBound * weight.outputs + outputs.lowerBound
                    switch destination {
                    case .store(let target):
                        a.multiply(
                            by: part, outputs: outputs.count, into: target + place, stride: weight.outputs,
                            worker.products)
                        Self.addBias(
                            target + place, rows: some.count, outputs: outputs, stride: weight.outputs, weight)
                    case .add(let target):
                        let result = worker.scratch(0, count: some.count * outputs.count)
                        a.multiply(
                            by: part, outputs: outputs.count, into: result, stride: outputs.count, worker.products)
                        Self.addBias(result, rows: some.count, outputs: outputs, stride: outputs.count, weight)
                        for row in 0..<some.count {
                            VectorMath.add(
                                result + row * outputs.count, to: target + place + row * weight.outputs,
                                count: outputs.count)
                        }
                    }
                }
            }
        }
    }

    /// f(x Wg' + bg) · (x Wu' + bu) -> [rows, outputs], without storing either factor.
    func gatedLinear(
        _ x: UnsafePointer<Float>, gate: Weight, up: Weight, _ activation: Activation,
        into post: UnsafeMutablePointer<Float>
    ) throws {
        try control.checkCancellation()
        let rows = rows
        let input = try self.input(x, rows: rows, width: gate.inputs)
        let (gateOperand, upOperand) = (try operand(gate, rows: rows), try operand(up, rows: rows))
        count(operations: 4 * Double(rows) * Double(gate.outputs) * Double(gate.inputs))
        // Both are divided alike: as the one that is not read in place, if there is one.
        let tasks = tasks([gateOperand.isInPlace ? upOperand : gateOperand], rows: rows)
        try pool.run(tasks: tasks.count) { task, worker in
            let pieces = tasks[task].outputs.flatMap { _, outputs in
                Self.parts(outputs, by: Self.resultStep).map {
                    (
                        outputs: $0, gate: part(gateOperand, $0, worker, slot: 2),
                        up: part(upOperand, $0, worker, slot: 3)
                    )
                }
            }
            for some in Self.parts(tasks[task].rows, by: 2 * Self.rowStep) {
                try control.checkCancellation()
                let a = input.rows(some, worker.products)
                for (outputs, gatePart, upPart) in pieces {
                    let gated = worker.scratch(0, count: some.count * outputs.count)
                    let lifted = worker.scratch(1, count: some.count * outputs.count)
                    for (weight, part, result) in [(gate, gatePart, gated), (up, upPart, lifted)] {
                        a.multiply(
                            by: part, outputs: outputs.count, into: result, stride: outputs.count, worker.products)
                        Self.addBias(result, rows: some.count, outputs: outputs, stride: outputs.count, weight)
                    }
                    for (index, row) in some.enumerated() {
                        activation.apply(
                            gated + index * outputs.count, times: lifted + index * outputs.count,
                            into: post + row * gate.outputs + outputs.lowerBound, count: outputs.count)
                    }
                }
            }
        }
    }

    /// Adds the bias of some outputs to rows that lie `stride` apart.
    private static func addBias(
        _ result: UnsafeMutablePointer<Float>, rows: Int, outputs: Range<Int>, stride: Int, _ weight: Weight
    ) {
        guard let bias = weight.bias else { return }
        bias.withUnsafeBufferPointer { bias in
            for row in 0..<rows {
                VectorMath.add(
                    bias.baseAddress! + outputs.lowerBound, to: result + row * stride, count: outputs.count)
            }
        }
    }
}
