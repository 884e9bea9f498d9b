import TerminalText

/// The accepted answers of a set of prompts, with which the beginnings of replies are compared.
///
/// A reply begins with an answer if, without its leading blanks, the answer is its beginning and neither a letter nor a
/// digit follows: "Paris." and "Paris, France" begin with "Paris", "Parisian" does not. Upper and lower case
/// are distinct; characters are compared as texts are (Unicode's canonical equivalence).
package struct AnswerKey {
    /// For each answer, the numbers of the distinct lists of accepted answers that contain it.
    private var lists: [String: Set<Int>] = [:]
    /// The accepted answers of each distinct list.
    private var answers: [Set<String>] = []
    /// For each prompt, the number of its list of accepted answers; nil if it has no answers.
    private var listOfPrompt: [Int?] = []
    /// For each distinct list of accepted answers, the number of prompts that have it.
    private var sizes: [Int] = []
    /// The number of characters of the longest accepted answer.
    private var longest = 0

    /// The number of prompts that have answers.
    package var count: Int { sizes.reduce(0, +) }

    package init(_ prompts: [PromptSet.Prompt]) {
        var known: [Set<String>: Int] = [:]
        for prompt in prompts {
            guard !prompt.answers.isEmpty else {
                listOfPrompt.append(nil)
                continue
            }
            let accepted = Set(prompt.answers)
            let list = known[accepted] ?? sizes.count
            if list == sizes.count {
                known[accepted] = list
                sizes.append(0)
                answers.append(accepted)
                for answer in accepted {
                    lists[answer, default: []].insert(list)
                    longest = max(longest, answer.count)
                }
            }
            sizes[list] += 1
            listOfPrompt.append(list)
        }
    }

    /// Returns the numbers of the lists of accepted answers that contain one with which the reply begins.
    private func lists(of reply: String) -> Set<Int> {
        let body = reply.withoutLeadingBlanks
        var found: Set<Int> = []
        var end = body.startIndex
        for _ in 0..<longest {
            guard end < body.endIndex else { break }
            end = body.index(after: end)
            if end < body.endIndex, body[end].isLetter || body[end].isNumber { continue }
            found.formUnion(lists[String(body[..<end])] ?? [])
        }
        return found
    }

    /// Returns, for each prompt, whether its reply begins with an accepted answer; nil for a prompt without answers.
    package func isRight(_ replies: [String]) -> [Bool?] {
        zip(replies, listOfPrompt).map { reply, list in list.map { lists(of: reply).contains($0) } }
    }

    /// Whether a reply that goes on after this text could begin with an accepted answer of a prompt, or not begin with one
    /// that it seems to begin with: whether an answer begins with all that there is of the reply.
    package func mayFollow(_ reply: String, prompt: Int) -> Bool {
        guard listOfPrompt.indices.contains(prompt), let list = listOfPrompt[prompt] else { return false }
        let body = reply.withoutLeadingBlanks
        return answers[list].contains { $0.hasPrefix(body) }
    }

    /// Returns the share of right replies that chance would give: the same replies, each compared with the accepted
    /// answers of all other prompts.
    ///
    /// - Returns: nil with fewer than two prompts that have answers.
    package func chance(_ replies: [String]) -> Double? {
        let count = count
        guard count > 1 else { return nil }
        var total = 0
        for (reply, list) in zip(replies, listOfPrompt) {
            guard let list else { continue }
            let found = lists(of: reply)
            total += found.reduce(0) { $0 + sizes[$1] } - (found.contains(list) ? 1 : 0)
        }
        return Double(total) / Double(count) / Double(count - 1)
    }
}
