import JSON
import Tokenizers

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// How rotary embedding turns the pairs of a head. (Su et al. 2021.)
package struct RotaryConfiguration: Sendable, Equatable {
    /// How frequencies are changed to reach further than the model was first trained for.
    package enum Scaling: Sendable, Equatable {
        case none
        /// Frequencies divided by the factor. (Chen et al. 2023, position interpolation.)
        case linear(factor: Double)
        /// The base grows with the length of the prompt: NTK-aware scaling.
        case dynamic(factor: Double, original: Int)
        /// Low frequencies divided by the factor, high ones kept, a ramp between. (Llama 3.1.)
        case llama3(factor: Double, low: Double, high: Double, original: Int)
        /// A ramp over the pairs, between the two rotation counts `slow` and `fast`. (Peng et al. 2023, section 3.2.)
        case yarn(factor: Double, fast: Double, slow: Double, original: Int, truncates: Bool)
        /// A factor for each pair, one list for prompts up to the original length, one for longer ones. (Ding et al. 2024.)
        case longrope(short: [Double], long: [Double], original: Int)
    }

    /// Leading values of each head that are turned; the rest pass as they are.
    package var dimension: Int
    package var theta: Double
    package var scaling = Scaling.none
    /// Factor of every cosine and sine (YaRN's and LongRoPE's attention factor).
    package var attentionFactor = 1.0

    package var name: String {
        switch scaling {
        case .none: "default"
        case .linear: "linear"
        case .dynamic: "dynamic"
        case .llama3: "llama3"
        case .yarn: "yarn"
        case .longrope: "longrope"
        }
    }

    /// The length from which on a prompt's keys are all turned otherwise than before; nil if there is none.
    var boundary: Int? {
        guard case .longrope(_, _, let original) = scaling else { return nil }
        return original
    }

    /// Whether frequencies depend on the length of the prompt, and on which side of a bound or how.
    func tableKey(length: Int) -> Int {
        switch scaling {
        case .dynamic(_, let original): max(length, original)
        case .longrope(_, _, let original): length > original ? 1 : 0
        default: 0
        }
    }

    /// θᵢ for every pair, rounded to f32 where `transformers` rounds. [dimension / 2]
    func frequencies(length: Int) -> [Float] {
        var base = Float(theta)
        if case .dynamic(let factor, let original) = scaling {
            let grown = factor * Double(max(length, original)) / Double(original) - (factor - 1)
            base = Float(theta * pow(grown, Double(dimension) / Double(dimension - 2)))
        }
        let powers = (0..<dimension / 2).map { powf(base, Float(2 * $0) / Float(dimension)) }
        let plain = powers.map { 1 / $0 }
        switch scaling {
        case .none, .dynamic: return plain
        case .linear(let factor): return plain.map { $0 / Float(factor) }
        case .llama3(let factor, let low, let high, let original):
            return plain.map { frequency in
                let wavelength = 2 * Float.pi / frequency
                if wavelength > Float(Double(original) / low) { return frequency / Float(factor) }
                if wavelength < Float(Double(original) / high) { return frequency }
                let smooth = (Float(original) / wavelength - Float(low)) / Float(high - low)
                return (1 - smooth) * frequency / Float(factor) + smooth * frequency
            }
        case .yarn(let factor, let fast, let slow, let original, let truncates):
            func pair(_ rotations: Double) -> Double {
                Double(dimension) * log(Double(original) / (rotations * 2 * .pi)) / (2 * log(theta))
            }
            var first = pair(fast)
            var last = pair(slow)
            if truncates {
                first = first.rounded(.down)
                last = last.rounded(.up)
            }
            first = max(first, 0)
            last = min(last, Double(dimension - 1))
            if first == last { last += 0.001 }
            return powers.enumerated().map { index, power in
                let ramp = min(max((Float(index) - Float(first)) / Float(last - first), 0), 1)
                let kept = 1 - ramp
                return 1 / (Float(factor) * power) * (1 - kept) + 1 / power * kept
            }
        case .longrope(let short, let long, let original):
            let factors = length > original ? long : short
            return zip(factors, powers).map { 1 / (Float($0) * $1) }
        }
    }
}

extension ConfigurationReader {
    /// Rotary settings in either spelling: transformers 5's `rope_parameters`, or `rope_theta`, `rope_scaling` and
    /// `partial_rotary_factor` on their own.
    ///
    /// - Parameters:
    ///   - layerType: the key of one kind of layer's settings where the file has them apart.
    ///   - partial: the share of a head that is turned where the file does not say; nil if the architecture always turns
    ///     whole heads.
    ///   - theta, partialKey, thetaKey: the architecture's older spellings and defaults.
    func rotary(
        head: Int, maxPositions: Int, layerType: String? = nil, theta standardTheta: Double = 10_000,
        thetaKey: String = "rope_theta", partial standardPartial: Double? = nil,
        partialKey: String = "partial_rotary_factor", scales: Bool = true
    ) throws -> RotaryConfiguration {
        var settings: ConfigurationReader?
        if scales, let older = try object("rope_scaling"), older.json.object?.isEmpty == false { settings = older }
        if settings == nil, let newer = try object("rope_parameters") {
            settings = newer
            if let layerType, let inner = try newer.object(layerType) { settings = inner }
        }
        let rope = settings ?? ConfigurationReader(.object(JSONObject()), file: file)
        let theta =
            try rope.optionalNumber("rope_theta", above: 0) ?? number(thetaKey, default: standardTheta, above: 0)
        let share =
            try rope.optionalNumber("partial_rotary_factor", above: 0)
            ?? optionalNumber(partialKey, above: 0) ?? standardPartial ?? 1
        let shareKey = rope.has("partial_rotary_factor") ? "partial_rotary_factor" : partialKey
        guard share <= 1 else { throw problem(shareKey, "must be at most 1, the whole head") }
        guard rope.has("rope_type") || rope.has("type") || (rope.json["factor"]?.double ?? 1) == 1 else {
            throw unsupported("rope scaling of no type")
        }
        let kind =
            try rope.has("rope_type") ? rope.string("rope_type") : rope.has("type") ? rope.string("type") : "default"
        if standardPartial == nil, kind != "default", share != 1 {
            throw unsupported("\(partialKey) \(share) in this architecture")
        }
        // Architectures that turn whole heads ignore the share, and so does transformers.
        let dimension = standardPartial == nil ? head : Int(Double(head) * share)
        guard dimension >= 2, dimension % 2 == 0 else {
            throw problem(
                standardPartial == nil ? "head_dim" : shareKey,
                "\(dimension) rotary dimensions; rotary embedding turns pairs")
        }
        var result = RotaryConfiguration(dimension: dimension, theta: theta)
        (result.scaling, result.attentionFactor) = try rope.scaling(
            kind, outer: self, dimension: dimension, maxPositions: maxPositions)
        return result
    }

    /// The scaling that this object of rope settings describes, and its attention factor.
    private func scaling(
        _ kind: String, outer: ConfigurationReader, dimension: Int, maxPositions: Int
    ) throws -> (RotaryConfiguration.Scaling, Double) {
        func factor() throws -> Double {
            guard let factor = try optionalNumber("factor", above: 0) else {
                throw problem("rope factor", "missing; rope type \(kind) needs it")
            }
            guard factor >= 1 else { throw problem("rope factor", "must be at least 1") }
            return factor
        }
        func original() throws -> Int {
            try outer.optionalCount("original_max_position_embeddings", limit: 1 << 30)
                ?? optionalCount("original_max_position_embeddings", limit: 1 << 30) ?? maxPositions
        }
        switch kind {
        case "default": return (.none, 1)
        case "linear": return (.linear(factor: try factor()), 1)
        case "dynamic":
            guard dimension > 2 else { throw problem("head_dim", "dynamic rope scaling needs more than one pair") }
            return (.dynamic(factor: try factor(), original: maxPositions), 1)
        case "llama3":
            let low = try number("low_freq_factor", default: .nan, above: 0)
            let high = try number("high_freq_factor", default: .nan, above: 0)
            guard low < high else {
                throw problem(
                    "rope high_freq_factor", "low_freq_factor and high_freq_factor must be there, the first smaller")
            }
            return (.llama3(factor: try factor(), low: low, high: high, original: try original()), 1)
        case "yarn":
            let original = try original()
            let isDerived = !has("factor") && original < maxPositions
            let factor = try isDerived ? Double(maxPositions) / Double(original) : factor()
            func magnitude(_ k: Double) -> Double { factor <= 1 ? 1 : 0.1 * k * log(factor) + 1 }
            let m = try optionalNumber("mscale", above: -.greatestFiniteMagnitude) ?? 0
            let all = try optionalNumber("mscale_all_dim", above: -.greatestFiniteMagnitude) ?? 0
            let attention =
                try optionalNumber("attention_factor", above: 0)
                ?? (m != 0 && all != 0 ? magnitude(m) / magnitude(all) : magnitude(1))
            return (
                .yarn(
                    factor: factor, fast: try number("beta_fast", default: 32, above: 0),
                    slow: try number("beta_slow", default: 1, above: 0), original: original,
                    truncates: try flag("truncate", default: true)), attention
            )
        case "longrope", "su":
            let original = try original()
            let short = try numbers("short_factor")
            let long = try numbers("long_factor")
            for (key, list) in [("short_factor", short), ("long_factor", long)] where list.count != dimension / 2 {
                throw problem("rope \(key)", "has \(list.count) entries; \(dimension / 2) pairs are turned")
            }
            let factor = try has("factor") ? factor() : Double(maxPositions) / Double(original)
            let attention =
                try optionalNumber("attention_factor", above: 0)
                ?? (factor <= 1 || original <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot())
            return (.longrope(short: short, long: long, original: original), attention)
        default: throw unsupported("rope type \"\(kind)\"")
        }
    }
}

extension RotaryConfiguration {
    /// The configuration's limit of positions from which `reach` made the longest prompt.
    func limit(ofReach reach: Int) -> Int {
        switch scaling {
        case .linear(let factor), .dynamic(let factor, _): Int((Double(reach) / factor).rounded())
        default: reach
        }
    }

    /// The longest prompt: dynamic scaling and position interpolation reach further than the configuration's limit says
    /// where that limit is the one of the first training.
    func reach(_ maxPositions: Int) -> Int {
        switch scaling {
        case .linear(let factor), .dynamic(let factor, _): Int(min(Double(maxPositions) * factor, Double(1 << 30)))
        default: maxPositions
        }
    }
}
