import Checkpoints
import Control
import LinearAlgebra
import Models
import Sites
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Comparison

@Suite("Output matrices, tied and not")
struct TiedHeadTests {
    /// A kind of output matrix that one model can have.
    enum Head: String, CaseIterable {
        /// The embedding is the output matrix.
        case tied
        /// The same, in a file that also holds numbers by the output matrix's name, which are not used.
        case unused
        /// The output matrix has the embedding's numbers.
        case equal
        /// The output matrix was trained apart from the embedding.
        case apart

        var isTied: Bool { self == .tied || self == .unused }
        var isNamed: Bool { self != .tied }
    }

    private static let name = "lm_head.weight"

    private func model(_ head: Head) throws -> NamedCheckpoint {
        let original = try fixtureModel("gqa-tied")
        let checkpoint =
            switch head {
            case .tied: original
            case .unused: try configured(untied(original) { $0.map { -$0 } }, #"{"tie_word_embeddings": true}"#)
            case .equal: try untied(original)
            case .apart: try untied(original) { $0.map { $0 * 1.5 } }
            }
        return NamedCheckpoint(head.rawValue, checkpoint)
    }

    @Test("a tied head is compared as its embedding", arguments: Head.allCases, Head.allCases)
    func compared(one: Head, other: Head) throws {
        let pair = CheckpointPair(a: try model(one), b: try model(other))
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        let pairs = try pair.tensors(in: context)
        let files = try pair.files(in: context)
        let found = try WeightsComparison(pairs.pairs, files.a, files.b, pool: context.pool, control: context.control)
        let hasHeads = one.isNamed || other.isNamed
        #expect(pairs.unpaired.isEmpty && pairs.pairs.count == (hasHeads ? 30 : 29))
        let changed = found.rows.filter { !$0.difference.isIdentical }.map(\.pair.name)
        #expect(changed == ((one == .apart) == (other == .apart) ? [] : [Self.name]))
        for (side, head) in [(pair.a, one), (pair.b, other)] {
            let premise = Premise.tiedHead(
                checkpoint: side.name, head: Self.name, embedding: "model.embed_tokens.weight")
            #expect(told.premises.contains(premise) == (head.isTied && hasHeads), "\(head)")
        }
        #expect(try pair.differences() == [])
    }

    @Test("a merge of a tied model and another has an output matrix of its own", arguments: [true, false])
    func merged(isTiedFirst: Bool) throws {
        let heads: [Head] = isTiedFirst ? [.tied, .apart] : [.apart, .tied]
        let pair = CheckpointPair(a: try model(heads[0]), b: try model(heads[1]))
        let context = RunContext.testing()
        let files = try pair.files(in: context)
        let merge = try Merge(
            pair.tensors(in: context).pairs, files.a, files.b, minus: nil, weight: 0.5, label: "merged",
            recipeJSON: Array("{}".utf8), pool: context.pool, control: context.control)
        #expect(merge.kept == 29 && merge.changed == 1)
        let merged = LoadedCheckpoint(merge.checkpoint)
        #expect(try !merged.configuration().tiedEmbeddings)
        let embedding = try values(of: "model.embed_tokens.weight", merged.file)
        #expect(
            try values(of: Self.name, merged.file)
                == embedding.map { Double(Float(($0 + Double(Float($0 * 1.5))) / 2)) })
        // Each of its tensors is where the model looks for it.
        #expect(try merged.model().unembedding.view.name == Self.name)
    }

    @Test("a series of tied models and others is compared over the same tensors")
    func series() throws {
        let members = try [Head.tied, .equal, .apart].map {
            try SeriesMember(name: $0.rawValue, .open(try model($0).checkpoint))
        }
        let told = Told()
        let result = try SeriesRun(
            context: .testing(tell: told.tell), members: members, measures: [.weights], prompts: nil, site: nil,
            precision: .f32
        ).run()
        let curve = try #require(result.curves.first)
        #expect(curve.toFirst[1]?.value == 0 && curve.toLast[0]?.value == curve.toLast[1]?.value)
        #expect(try #require(curve.toFirst[2]).value > 0)
        #expect(
            told.premises == [
                .tiedHead(checkpoint: "tied", head: Self.name, embedding: "model.embed_tokens.weight")
            ])
    }

    @Test("a series says in what its models differ from the first apart from their weights")
    func settings() throws {
        let original = try fixtureModel("gqa-tied")
        let members = [
            try SeriesMember(name: "one", .open(original)),
            try SeriesMember(name: "two", .open(configured(original, #"{"rms_norm_eps": 0.01}"#))),
        ]
        let told = Told()
        _ = try SeriesRun(
            context: .testing(tell: told.tell), members: members, measures: [.weights], prompts: nil, site: nil,
            precision: .f32
        ).run()
        #expect(
            told.premises == [.modelsDiffer("one", "two", [.setting(key: "rms_norm_eps", a: "1e-05", b: "0.01")])])
    }

    @Test("names of a bare model pair with those of a whole one, although both call the output matrix alike")
    func bare() throws {
        let whole = try fixtureModel("mha").file
        var bare = Derivation(of: whole, recipeJSON: Array("{}".utf8))
        bare.prefix = "x."
        for info in whole.tensors {
            bare.copies[info.name.hasPrefix("model.") ? String(info.name.dropFirst(6)) : info.name] = info.name
        }
        // What the prefix moved away has no partner; what was copied under its bare name has one.
        let pairs = TensorPairs(whole.tensors, try Checkpoint(bare, label: "bare").tensors)
        #expect(pairs.pairs.count == whole.tensors.count)
    }
}
