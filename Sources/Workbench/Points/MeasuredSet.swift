import Checkpoints
import Geometry
package import LinearAlgebra
import Models
package import Provenance
import Sites
import Statistics
import TerminalText

/// One set of points that `manifold` measures: the rows of a site (a named place in the model), those of one group of a
/// site, or a weight's rows or columns.
package struct MeasuredSet {
    /// The name of the set of points in reports: `resid_post[3]`, `acts.npy`, `model.layers.0.mlp.up_proj.weight rows`.
    package let name: String
    /// The label or token that all rows of the set share, if rows are grouped; else nil.
    package let group: String?
    package let width: Int
    /// The name and the group of the set of points, in words.
    var fullName: String { [name, group].compactMap(\.self).joined(separator: ", ") }
    package let inputs: [Recipe.Input]
    /// Returns the points of the set, [number of points, width].
    package let matrix: () throws -> Matrix

    /// Makes one set of all points of a source. Full names of sites become short ones, because tables hold many.
    package init(_ source: PointSource) {
        name = source.shortName
        group = nil
        width = source.width
        inputs = source.inputs
        matrix = source.finiteMatrix
    }

    package init(
        name: String, group: String? = nil, width: Int, inputs: [Recipe.Input] = [],
        matrix: @escaping () throws -> Matrix
    ) {
        self.name = name
        self.group = group
        self.width = width
        self.inputs = inputs
        self.matrix = matrix
    }

    /// Groups a source's points by their prompts' label or by token, and draws the same number of points from each
    /// group with a seed, because that number affects dimension estimates.
    ///
    /// - Parameter least: the fewest points of a group; smaller groups are left out.
    /// - Returns: the groups, those left out with their numbers of points, and the number of points that each group
    ///   keeps.
    /// - Throws: `WorkbenchError` if the rows have no labels or no group is large enough.
    package static func groups(
        _ source: PointSource, by key: GroupKey, least: Int, seed: UInt64, token: (Int) -> String
    ) throws -> (sets: [MeasuredSet], leftOut: [(name: String, rows: Int)], rows: Int) {
        var order: [String] = []
        var members: [String: [Int32]] = [:]
        for index in 0..<source.count {
            guard let row = source.row(index) else { break }
            let name: String
            switch key {
            case .label: name = row.label
            case .token: name = row.token.map(token) ?? "mean"
            }
            if members[name] == nil { order.append(name) }
            members[name, default: []].append(Int32(index))
        }
        if key == .label, order == [""] || order.isEmpty {
            throw WorkbenchError.noLabels(name: source.name)
        }
        let kept = order.filter { members[$0]!.count >= least }
        let leftOut = order.filter { members[$0]!.count < least }.map { ($0, members[$0]!.count) }
        guard let size = kept.map({ members[$0]!.count }).min() else {
            throw WorkbenchError.smallGroups(least: least, largest: members.values.map(\.count).max() ?? 0)
        }
        let sets = kept.map { name in
            var random = SeededRandom(seed: seed, stream: size, order.firstIndex(of: name)!)
            let rows = random.sample(size, of: members[name]!.count).map { members[name]![$0] }
            return MeasuredSet(
                name: source.shortName, group: name, width: source.width, inputs: source.inputs
            ) { try source.finiteMatrix().selecting(rows) }
        }
        return (sets, leftOut, size)
    }

    /// The property by which a source's points may be grouped.
    package enum GroupKey: String, CaseIterable {
        case label, token
    }
}

extension MeasuredSet {
    /// The vectors of a weight matrix that serve as points: its rows, its columns, or each in turn.
    package enum Side: Equatable {
        case rows, columns, both
    }

    /// Makes sets of points of the rows or columns of weight matrices.
    ///
    /// - Parameters:
    ///   - views: two-dimensional floating-point tensors.
    ///   - isJoint: whether the points of all matrices that have the same number of coordinates form one set.
    package static func weights(_ views: [TensorView], side: Side, isJoint: Bool) -> [MeasuredSet] {
        var sets: [MeasuredSet] = []
        for side in side == .both ? [Side.rows, .columns] : [side] {
            let word = side == .rows ? "rows" : "columns"
            func width(_ view: TensorView) -> Int { side == .rows ? view.shape[1] : view.shape[0] }
            if isJoint {
                for (width, group) in Dictionary(grouping: views, by: width).sorted(by: { $0.key < $1.key }) {
                    sets.append(
                        MeasuredSet(name: "\(counted(group.count, "matrix", "matrices")), \(word)", width: width) {
                            let bytes = 12 * group.reduce(0) { $0 + $1.count }
                            guard bytes < PhysicalMemory.byteCount / 2 else {
                                throw WorkbenchError.tooManyMatrices(count: group.count, bytes: bytes)
                            }
                            let parts = group.map { points($0, isTransposed: side == .columns) }
                            return Matrix(
                                rows: parts.reduce(0) { $0 + $1.rows }, columns: width, values: parts.flatMap(\.values))
                        })
                }
                continue
            }
            for view in views {
                sets.append(
                    MeasuredSet(name: "\(view.name) \(word)", width: width(view)) {
                        points(view, isTransposed: side == .columns)
                    })
            }
        }
        return sets
    }

    private static func points(_ view: TensorView, isTransposed: Bool) -> Matrix {
        let (rows, columns) = (view.shape[0], view.shape[1])
        var values = [Float](repeating: 0, count: rows * columns)
        values.withUnsafeMutableBufferPointer { values in
            if let start = values.baseAddress, let bytes = view.bytes.baseAddress {
                if view.type == .f64 {
                    for index in 0..<values.count {
                        values[index] = Float((bytes + index * 8).loadUnaligned(as: Double.self))
                    }
                } else {
                    Widening.widen(bytes, view.type, into: start, count: values.count)
                }
            }
        }
        guard isTransposed else { return Matrix(rows: rows, columns: columns, values: values) }
        var turned = Matrix(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { turned[column, row] = values[row * columns + column] }
        }
        return turned
    }
}
