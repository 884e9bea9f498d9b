import JSON

extension BytePairModel {
    static func readVocabulary(_ field: JSONField) throws(TokenizerError) -> Vocabulary {
        let members = try field.object().members
        guard !members.isEmpty else { throw field.invalid("it has no tokens") }
        guard members.count <= Vocabulary.idLimit else {
            throw field.invalid("it has \(members.count) tokens; the limit is \(Vocabulary.idLimit)")
        }
        var vocabulary = Vocabulary(capacity: members.count)
        for member in members {
            guard case .integer(let id) = member.value, (0..<Vocabulary.idLimit).contains(id) else {
                let entry = JSONField(file: field.file, path: field.path, value: member.value)
                throw entry.invalid(
                    "the id of \(member.key.quoted) should be an integer in 0..<\(Vocabulary.idLimit), found "
                        + (member.value.int.map(String.init) ?? member.value.kind))
            }
            var key = member.key
            let conflict = key.withUTF8 { text -> Vocabulary.Conflict? in
                do throws(Vocabulary.Conflict) {
                    try vocabulary.insert(text, id: Int32(id))
                    return nil
                } catch {
                    return error
                }
            }
            switch conflict {
            case .sameToken: throw field.invalid("the token \(member.key.quoted) is there twice")
            case .sameID: throw field.invalid("the id \(id) is given twice, the second time to \(member.key.quoted)")
            case nil: break
            }
        }
        return vocabulary
    }

    /// Merges are "a b" (older files, where a line may be a version comment) or ["a", "b"].
    static func readMerges(
        _ field: JSONField, _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> (table: MergeTable, reachesAcrossSpaces: Bool) {
        guard let elements = field.value.array else { throw field.mismatch("an array") }
        var table = MergeTable(capacity: elements.count)
        var reachesAcrossSpaces = false
        var rank: UInt32 = 0
        let pairsAreArrays = elements.first?.array != nil
        // The two tokens of a merge, one behind the other.
        var joined: [UInt8] = []
        for (index, element) in elements.enumerated() {
            joined.removeAll(keepingCapacity: true)
            let middle: Int
            switch element {
            case .string(let line) where !pairsAreArrays:
                joined.append(contentsOf: line.utf8)
                if joined.starts(with: "#version".utf8) { continue }
                guard let space = joined.firstIndex(of: UInt8(ascii: " ")),
                    joined.lastIndex(of: UInt8(ascii: " ")) == space
                else { throw field.invalid("merge \(index) is \(line.quoted), not two tokens with a space between") }
                joined.remove(at: space)
                middle = space
            case .array(let pair) where pairsAreArrays && pair.count == 2:
                guard case .string(let left) = pair[0], case .string(let right) = pair[1] else {
                    throw field.invalid("merge \(index) should have two strings")
                }
                joined.append(contentsOf: left.utf8)
                middle = joined.count
                joined.append(contentsOf: right.utf8)
            default:
                throw field.invalid("merge \(index) should be \(pairsAreArrays ? "a pair of strings" : "a string")")
            }
            let (left, right, merged) = joined.withUnsafeBufferPointer { text in
                (
                    vocabulary.id(of: UnsafeBufferPointer(rebasing: text[..<middle])),
                    vocabulary.id(of: UnsafeBufferPointer(rebasing: text[middle...])),
                    vocabulary.id(of: text)
                )
            }
            guard let left, let right, let merged else {
                let missing = left == nil ? joined[..<middle] : right == nil ? joined[middle...] : joined[...]
                throw field.invalid(
                    "merge \(index) names the token \(String(decoding: missing, as: UTF8.self).quoted), "
                        + "which is not in the vocabulary")
            }
            if !reachesAcrossSpaces {
                reachesAcrossSpaces = joined.withUnsafeBufferPointer { Self.reachesAcrossSpace($0) }
            }
            table.insert(left, right, rank: rank, into: merged)
            rank += 1
        }
        return (table, reachesAcrossSpaces)
    }
}
