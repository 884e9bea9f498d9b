extension TokenSequences {
    /// Runs of prompts of at most `limit` tokens together; a longer prompt stands alone.
    package func groups(_ prompts: Range<Int>, limit: Int) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = prompts.lowerBound
        var tokens = 0
        for prompt in prompts {
            let length = rows(of: prompt).count
            if tokens > 0, tokens + length > limit {
                result.append(start..<prompt)
                start = prompt
                tokens = 0
            }
            tokens += length
        }
        if start < prompts.upperBound { result.append(start..<prompts.upperBound) }
        return result
    }

    /// Tokens of the longest prompt; 0 if there is none.
    package var longest: Int { (0..<count).reduce(0) { max($0, rows(of: $1).count) } }
}
