/// Why a model could not be built or run.
package enum ModelError: Error, Equatable, CustomStringConvertible {
    case noConfiguration(file: String)
    case badConfiguration(file: String, key: String, problem: String)
    case unsupported(file: String, what: String)
    case unknownArchitecture(file: String, name: String, known: [String])
    case missingTensor(file: String, name: String, shape: [Int])
    case wrongShape(file: String, name: String, found: [Int], expected: [Int])
    case wrongType(file: String, name: String, type: String)
    case noTokens(prompt: Int)
    case tokenOutOfRange(id: Int, vocabulary: Int)
    case tooLong(prompt: Int, tokens: Int, limit: Int)
    case notFinite(site: String)
    case tooLarge(what: String, bytes: Int, limit: Int)
    case selfTest(problem: String)

    package var description: String {
        switch self {
        case .noConfiguration(let file):
            "\(file) has no config.json inside, so it can't be run; open it with --config FILE"
        case .badConfiguration(let file, let key, let problem):
            "\(file): config.json: \(key): \(problem)"
        case .unsupported(let file, let what):
            "\(file): \(what) is not supported yet, and running without it would give wrong numbers"
        case .unknownArchitecture(let file, let name, let known):
            "\(file): the architecture \"\(name)\" can't be run; known: \(known.joined(separator: ", "))"
                + " (info, tensors, stats and verify work on any file)"
        case .missingTensor(let file, let name, let shape):
            "\(file): the tensor \(name) is missing; the configuration asks for it with shape \(shape)"
        case .wrongShape(let file, let name, let found, let expected):
            "\(file): the tensor \(name) has shape \(found); the configuration asks for \(expected)"
        case .wrongType(let file, let name, let type):
            "\(file): the tensor \(name) is stored as \(type); weights must be f32, f16, bf16 or f64"
        case .noTokens(let prompt): "prompt \(prompt + 1) has no tokens; give it at least one"
        case .tokenOutOfRange(let id, let vocabulary):
            "token \(id) is outside the vocabulary of \(vocabulary); does the tokenizer belong to this checkpoint?"
        case .tooLong(let prompt, let tokens, let limit):
            "prompt \(prompt + 1) has \(tokens) tokens, more than this model's limit of \(limit) positions"
        case .notFinite(let site): "NaN or infinite values at \(site)"
        case .tooLarge(let what, let bytes, let limit):
            "\(what) would take \(bytes >> 20) MiB, more than half of this machine's memory (\(limit >> 20) MiB)"
        case .selfTest(let problem): "self-test failed: \(problem); the checkpoint or this build is not sound"
        }
    }
}
