import Sites

extension ModelConfiguration {
    /// What sets this model apart, in words: rotary embedding, windows, caps.
    package var details: [(property: String, value: String)] {
        var result: [(String, String)] = [("activation", activation.rawValue)]
        let ropes = attention.compactMap(\.rotary).reduce(into: [RotaryConfiguration]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        if ropes.isEmpty {
            result.append(("position embedding", "learned"))
        } else {
            let texts = ropes.map { rope in
                var text = "theta \(NumberText.short(rope.theta))"
                if rope.scaling != .none { text += ", \(rope.name)" }
                if case .linear(let factor) = rope.scaling { text += " by \(NumberText.short(factor))" }
                if rope.dimension < headDimension { text += ", \(rope.dimension) of \(headDimension) values" }
                return text
            }
            result.append(("rope", texts.joined(separator: "; ")))
        }
        let windows = attention.compactMap(\.window)
        if let window = windows.first {
            let share = windows.count == layers ? "" : " in \(windows.count) of \(layers) layers"
            result.append(("attention window", "\(window)\(share)"))
        }
        if let cap = attention.first?.softCap { result.append(("cap on scores", NumberText.short(Double(cap)))) }
        if let cap = logitSoftCap { result.append(("cap on logits", NumberText.short(Double(cap)))) }
        if !siteKinds.contains(.residMid) { result.append(("residual", "attention and MLP side by side")) }
        return result
    }
}
