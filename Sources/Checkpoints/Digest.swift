internal import COpenSSL

/// SHA-256 (FIPS 180-4), as lowercase hexadecimal.
package enum Digest {
    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    /// Digest of bytes that a recipe mentions: a prompt set, a configuration, a direction.
    package static func sha256(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { sha256($0) }
    }

    package static func sha256(_ text: String) -> String { sha256(Array(text.utf8)) }
}

/// SHA-256 of bytes that come in pieces.
struct SHA256: ~Copyable {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("libcrypto has no SHA-256")
        }
        self.context = context
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty { return }
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            fatalError("libcrypto could not continue a digest")
        }
    }

    /// The digest of everything so far; the last call.
    mutating func finish() -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard EVP_DigestFinal_ex(context, &bytes, nil) == 1 else { fatalError("libcrypto could not end a digest") }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    deinit { EVP_MD_CTX_free(context) }
}
