import JSON

extension JSONValue {
    /// The value with the one at `path` replaced, or taken out where `new` is nil. A path is keys and indices.
    func replacing(_ path: [String], by new: JSONValue?) -> JSONValue {
        guard let key = path.first else { return new ?? .null }
        let rest = Array(path.dropFirst())
        switch self {
        case .object(let object):
            var members = object.members
            let index = members.firstIndex { $0.key == key }
            if rest.isEmpty, new == nil {
                if let index { members.remove(at: index) }
            } else {
                let old = index.map { members[$0].value } ?? .object(JSONObject())
                let member = JSONObject.Member(key: key, value: old.replacing(rest, by: new))
                if let index { members[index] = member } else { members.append(member) }
            }
            return .object(JSONObject(members: members))
        case .array(var values):
            guard let index = Int(key), values.indices.contains(index) else { return self }
            if rest.isEmpty, new == nil {
                values.remove(at: index)
            } else {
                values[index] = values[index].replacing(rest, by: new)
            }
            return .array(values)
        default:
            return self
        }
    }
}
