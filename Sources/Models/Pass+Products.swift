import LinearAlgebra

extension Pass {
    /// What becomes of a product's result.
    enum Destination {
        /// [rows, outputs], overwritten.
        case store(UnsafeMutablePointer<Float>)
        /// [rows, outputs], added to.
        case add(UnsafeMutablePointer<Float>)

        var pointer: UnsafeMutablePointer<Float> {
            switch self {
            case .store(let pointer), .add(let pointer): pointer
            }
        }
    }

    /// Columns of a weight that one task multiplies; the choice does not change the bits.
    static func tile(_ outputs: Int) -> Int {
        // An even number of tasks of at most 192 columns, so that two or four threads finish together.
        let tasks = 2 * ((outputs + 383) / 384)
        return ((outputs + tasks - 1) / tasks + 15) / 16 * 16
    }

    /// Rows of a product's tile: as many as keep its result within a core's cache.
    private static let tileRows = 256

    /// x W' + b for several weights with the same input. x: [rows, inputs], dense.
    ///
    /// - Parameter byRow: multiply row by row, for a few rows; nil: when decoding.
    func linear(
        _ x: UnsafePointer<Float>, rows: Int? = nil, byRow: Bool? = nil, _ products: [(Weight, Destination)]
    ) throws {
        try control.checkCancellation()
        let rows = rows ?? self.rows
        guard let inputs = products.first?.0.inputs else { return }
        let byRow = (byRow ?? isDecoding) && products.allSatisfy { $0.0.elementType != .f64 }
        let input = try self.input(x, rows: rows, width: inputs, byRow: byRow)
        var tasks: [(product: Int, columns: Range<Int>)] = []
        for (index, (weight, _)) in products.enumerated() {
            let step = Self.tile(weight.outputs)
            for start in stride(from: 0, to: weight.outputs, by: step) {
                tasks.append((index, start..<min(start + step, weight.outputs)))
            }
            count(operations: 2 * Double(rows) * Double(weight.outputs) * Double(weight.inputs))
        }
        try pool.run(tasks: tasks.count) { task, worker in
            let (weight, destination) = products[tasks[task].product]
            let columns = tasks[task].columns
            if byRow {
                let result = worker.scratch(0, count: rows * columns.count)
                multiplyRows(input, rows: rows, weight, columns, worker, into: result)
                finish(result, rows: 0..<rows, columns: columns, weight: weight, destination)
                return
            }
            let b = try operand(weight, columns, worker, rows: rows)
            let result = worker.scratch(0, count: Self.tileRows * columns.count)
            for start in stride(from: 0, to: rows, by: Self.tileRows) {
                try control.checkCancellation()
                let count = min(Self.tileRows, rows - start)
                try b.multiply(
                    input.pointer(start), into: result, rows: count, columns: columns.count, depth: weight.inputs,
                    worker.products)
                finish(result, rows: start..<start + count, columns: columns, weight: weight, destination)
            }
        }
    }

    /// f(x Wg' + bg) · (x Wu' + bu) -> [rows, outputs], without storing either factor.
    func gatedLinear(
        _ x: UnsafePointer<Float>, gate: Weight, up: Weight, _ activation: Activation,
        into post: UnsafeMutablePointer<Float>
    ) throws {
        try control.checkCancellation()
        let step = Self.tile(gate.outputs)
        let rows = rows
        let byRow = isDecoding && gate.elementType != .f64 && up.elementType != .f64
        let input = try self.input(x, rows: rows, width: gate.inputs, byRow: byRow)
        count(operations: 4 * Double(rows) * Double(gate.outputs) * Double(gate.inputs))
        try pool.run(tasks: (gate.outputs + step - 1) / step) { task, worker in
            let columns = task * step..<min((task + 1) * step, gate.outputs)
            let count = columns.count
            /// Adds the biases to tiles [rows, columns], and puts f(gated) · lifted where it belongs.
            func combine(
                _ gated: UnsafeMutablePointer<Float>, _ lifted: UnsafeMutablePointer<Float>, rows: Range<Int>
            ) {
                Self.addBias(gated, rows: rows.count, columns: columns, gate)
                Self.addBias(lifted, rows: rows.count, columns: columns, up)
                for (index, row) in rows.enumerated() {
                    activation.apply(
                        gated + index * count, times: lifted + index * count,
                        into: post + row * gate.outputs + columns.lowerBound, count: count)
                }
            }
            let most = byRow ? rows : Self.tileRows
            let gated = worker.scratch(0, count: most * count)
            let lifted = worker.scratch(1, count: most * count)
            if byRow {
                multiplyRows(input, rows: rows, gate, columns, worker, into: gated)
                multiplyRows(input, rows: rows, up, columns, worker, into: lifted)
                combine(gated, lifted, rows: 0..<rows)
                return
            }
            let gateColumns = try operand(gate, columns, worker, rows: rows, slot: 2)
            let upColumns = try operand(up, columns, worker, rows: rows, slot: 3)
            for start in stride(from: 0, to: rows, by: Self.tileRows) {
                try control.checkCancellation()
                let tile = start..<min(start + Self.tileRows, rows)
                for (operand, result) in [(gateColumns, gated), (upColumns, lifted)] {
                    try operand.multiply(
                        input.pointer(start), into: result, rows: tile.count, columns: count, depth: gate.inputs,
                        worker.products)
                }
                combine(gated, lifted, rows: tile)
            }
        }
    }

    private static func addBias(
        _ result: UnsafeMutablePointer<Float>, rows: Int, columns: Range<Int>, _ weight: Weight
    ) {
        guard let bias = weight.bias else { return }
        bias.withUnsafeBufferPointer { bias in
            for row in 0..<rows {
                VectorMath.add(
                    bias.baseAddress! + columns.lowerBound, to: result + row * columns.count, count: columns.count)
            }
        }
    }

    /// Adds the bias to a tile [rows, columns] and puts it where it belongs.
    private func finish(
        _ result: UnsafeMutablePointer<Float>, rows: Range<Int>, columns: Range<Int>, weight: Weight,
        _ destination: Destination
    ) {
        Self.addBias(result, rows: rows.count, columns: columns, weight)
        let target = destination.pointer
        for (index, row) in rows.enumerated() {
            let source = result + index * columns.count
            let place = target + row * weight.outputs + columns.lowerBound
            switch destination {
            case .store: place.update(from: source, count: columns.count)
            case .add: VectorMath.add(source, to: place, count: columns.count)
            }
        }
    }
}
