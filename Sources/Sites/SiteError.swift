/// A reason why a text names no site or no position.
package enum SiteError: Error, Equatable, Sendable, CustomStringConvertible {
    case badSite(text: String, problem: String)
    case badPosition(text: String, problem: String)

    package var description: String {
        switch self {
        case .badSite(let text, let problem): "site \"\(text)\": \(problem)"
        case .badPosition(let text, let problem): "position \"\(text)\": \(problem)"
        }
    }
}
