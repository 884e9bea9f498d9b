import HDF5
import Testing
import TestSupport

/// Damaged files either open or are refused; none ends this process. libhdf5 1.10.8 itself crashes on about
/// one in forty of those without checksums.
struct FuzzTests {
    @Test(arguments: ["packed", "szip", "outside"])
    func damagedFileOpensOrIsRefused(name: String) throws {
        let folder = TemporaryFolder()
        let path = folder.file("damaged.h5")
        let whole = readBytes(oddFile(name))
        var refused = 0
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix(state: seed)
            var bytes = whole
            if seed % 5 == 0 {
                bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            } else {
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
                }
            }
            writeBytes(bytes, path)
            do {
                let file = try File(path)
                for dataset in file.contents.datasets { _ = try file.decode(dataset) }
            } catch is HDF5Error {
                refused += 1
            }
        }
        #expect(refused >= 40)
    }
}
