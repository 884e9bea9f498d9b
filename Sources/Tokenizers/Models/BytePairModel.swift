/// Byte-level byte-pair encoding: the model "BPE" over the alphabet of `ByteAlphabet`.
struct BytePairModel: Sendable {
    let vocabulary: Vocabulary
    private let merges: MergeTable
    /// The token of each single byte, -1 where the vocabulary has none.
    private let byteTokens: [Int32]
    /// What stands for a byte without a token; -1: such bytes are dropped.
    private let unknown: Int32
    private let fusesUnknown: Bool
    private let ignoresMerges: Bool

    /// Reads the field `model` of a tokenizer.json.
    init(_ field: JSONField) throws(TokenizerError) {
        let type = try field.required("type").string()
        guard type.hasSameBytes(as: "BPE") else {
            throw field.unsupported("its type is \(type.quoted); only \"BPE\" is implemented")
        }
        if let dropout = try field.optional("dropout"), dropout.value.double != 0 {
            throw dropout.unsupported("only null is; dropout would make token ids random")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try field.optional(key), try !affix.string().isEmpty {
                throw affix.unsupported("only null or an empty text is")
            }
        }
        if let fallback = try field.optional("byte_fallback"), try fallback.bool() {
            throw fallback.unsupported("byte-level tokenizers have a token for every byte; only false is")
        }
        fusesUnknown = try field.bool("fuse_unk", default: false)
        ignoresMerges = try field.bool("ignore_merges", default: false)
        vocabulary = try Self.readVocabulary(try field.required("vocab"))
        merges = try Self.readMerges(try field.required("merges"), vocabulary)
        if let token = try field.optional("unk_token") {
            guard let id = vocabulary.id(of: try token.string().utf8) else {
                throw token.invalid("\(try token.string().quoted) is not in the vocabulary")
            }
            unknown = id
        } else {
            unknown = -1
        }
        var byteTokens: [Int32] = []
        for byte in UInt8.min ... .max {
            var character: [UInt8] = []
            ByteAlphabet.encode(byte, into: &character)
            byteTokens.append(vocabulary.id(of: character) ?? -1)
        }
        self.byteTokens = byteTokens
    }

    private static func readVocabulary(_ field: JSONField) throws(TokenizerError) -> Vocabulary {
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
    private static func readMerges(
        _ field: JSONField, _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> MergeTable {
        guard let elements = field.value.array else { throw field.mismatch("an array") }
        var table = MergeTable(capacity: elements.count)
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
            table.insert(left, right, rank: rank, into: merged)
            rank += 1
        }
        return table
    }

    /// Leaves the tokens of one word in `queue.result`.
    func encode(_ word: UnsafeBufferPointer<UInt8>, _ queue: inout MergeQueue) {
        queue.reset()
        if ignoresMerges {
            var text: [UInt8] = []
            for byte in word { ByteAlphabet.encode(byte, into: &text) }
            if let id = vocabulary.id(of: text) {
                queue.append(TokenSpan(id: id, start: 0, end: Int32(truncatingIfNeeded: word.count)))
                return
            }
        }
        var unknownStart: Int32?
        for (index, byte) in word.enumerated() {
            let start = Int32(truncatingIfNeeded: index)
            let id = byteTokens[Int(byte)]
            if id >= 0 || !fusesUnknown, let first = unknownStart {
                queue.append(TokenSpan(id: unknown, start: first, end: start))
                unknownStart = nil
            }
            if id >= 0 {
                queue.append(TokenSpan(id: id, start: start, end: start + 1))
            } else if unknown >= 0, unknownStart == nil {
                unknownStart = start
            }
        }
        if let first = unknownStart {
            queue.append(TokenSpan(id: unknown, start: first, end: Int32(truncatingIfNeeded: word.count)))
        }
        queue.merge(by: merges)
    }
}
