import LinearAlgebra
import Models
import Sites

/// An edit of activations with a direction of each prompt's own, so that several candidate directions go through a
/// model in one pack.
///
/// Prompts come in blocks of `promptsEach`, one block for each candidate. A row's numbers are, to the bit, those of
/// `SubspaceEdit(ablating:)` and `Steering`.
struct CandidateEdit: Edit {
    enum Change {
        /// The unit direction r̂ is removed from each activation h: h <- h - r̂(r̂'h) (Arditi et al. 2024, eq. 4); the
        /// rows of `vectors` are the r̂.
        case ablation
        /// A vector v is added to each activation h: h <- h + v; the rows of `vectors` are the v.
        case addition
    }

    let change: Change
    /// The direction that is removed or added for each candidate, [candidates, width].
    let vectors: Matrix
    /// The number of prompts that are run with each candidate's direction.
    let promptsEach: Int
    let sites: Set<Site>

    func applies(to site: Site) -> Bool { sites.contains(site) }

    func apply(at site: Site, to block: ActivationBlock) {
        let width = block.width
        precondition(width == vectors.columns, "directions of width \(vectors.columns) at a site of width \(width)")
        guard block.rows > 0 else { return }
        let starts = block.sequences.starts
        var prompt = block.sequences.prompt(ofRow: block.firstRow)
        vectors.values.withUnsafeBufferPointer { buffer in
            for row in 0..<block.rows {
                while block.firstRow + row >= starts[prompt + 1] { prompt += 1 }
                let vector = buffer.baseAddress! + prompt / promptsEach * width
                let h = block.values + row * width
                switch change {
                case .ablation:
                    VectorMath.add(vector, times: -VectorMath.dot(vector, h, count: width), to: h, count: width)
                case .addition: VectorMath.add(vector, to: h, count: width)
                }
            }
        }
    }

    /// Makes the edit that takes candidates' unit directions out at every block's input, attention output and MLP
    /// output.
    static func ablation(_ directions: [[Float]], promptsEach: Int, layers: Int) -> CandidateEdit {
        CandidateEdit(
            change: .ablation, vectors: matrix(directions), promptsEach: promptsEach, sites: everySite(layers: layers))
    }

    /// Makes the edit that adds candidates' vectors to the residual stream at one layer's input.
    static func addition(_ vectors: [[Float]], promptsEach: Int, layer: Int) -> CandidateEdit {
        CandidateEdit(
            change: .addition, vectors: matrix(vectors), promptsEach: promptsEach,
            sites: [Site(.residPre, layer: layer)])
    }

    private static func everySite(layers: Int) -> Set<Site> {
        Set(
            (0..<layers).flatMap { layer in
                [Site(.residPre, layer: layer), Site(.attnOut, layer: layer), Site(.mlpOut, layer: layer)]
            })
    }

    private static func matrix(_ rows: [[Float]]) -> Matrix {
        Matrix(rows: rows.count, columns: rows.first?.count ?? 0, values: Array(rows.joined()))
    }
}
