import Reports
import Workbench

/// A description of the instructions and kernels with which this machine computes, and of the results that depend on
/// them.
enum Machine {
    /// Returns the report of `show machine`: the processor, the available kernels, and the kernel and the measured rate
    /// of each kind of product.
    static func report(_ session: Session) throws -> Report {
        var table = Table(
            "products", columns: ["product", .init("kernel", alignment: .left), "GFLOP/s", "reading GB/s"])
        for rate in try session.rates() {
            table.append([
                .text(rate.what), .text(rate.kernel), .number(rate.operations * 1e-9),
                Cell(rate.reading.map { $0 * 1e-9 }),
            ])
        }
        return Report(
            scalars: [
                Scalar("processor", .text(Engine.processor)), Scalar("threads", .integer(session.settings.threads)),
                Scalar("kernel", .text(session.kernel.name)),
                Scalar("available", .text(Kernel.available.map(\.name).joined(separator: ", "))),
            ], tables: [table],
            notes: [
                "128 rows: a product as of a prompt, weights in the caches; 1 row: as in decoding, weights in memory.",
                "Rates are of a tenth of a second each or a little more, and vary with what else the machine does; no kernel is chosen by them.",
                "f32 results are the same bits with every kernel; help machine says what else depends on the processor.",
            ])
    }

    /// The page of `help machine`.
    static var page: Report {
        var table = Table("kernels", columns: ["kernel", "here", "what it needs"])
        for kernel in Kernel.all {
            table.append([.text(kernel.name), .text(kernel.isAvailable ? "yes" : "no"), .text(needs(kernel))])
        }
        return Report(title: "What depends on the processor", tables: [table], text: text)
    }

    private static func needs(_ kernel: Kernel) -> String {
        switch kernel.name {
        case "portable":
            "nothing; slow, to compare with the others (on x86-64 nacre needs AVX2 all the same)"
        case "avx2": "AVX2, FMA and F16C: Intel since 2013, AMD since 2015; the least that nacre runs on with x86-64"
        case "avx512": "AVX-512 F, BW, VL and DQ"
        case "amx": "AVX-512, and Intel's matrix unit for --precision bf16"
        default: "any 64-bit Arm processor"
        }
    }

    private static let text = """
        Matrix products have kernels for several sets of instructions. By itself nacre takes the last of this table that
        the processor has; it never times them to choose. set kernel avx2, or NACRE_KERNEL=avx2 in the environment, takes
        another one, and set kernel auto goes back. show machine says which one is in force and how fast it is.

        The same bits with every kernel, at any number of threads, packed with other prompts or alone, decoded or run
        whole: everything that a run in f32 computes. Activations, logits, losses, attention, generated and sampled
        tokens, captures and their files.

        Not the same bits on every machine:
          --precision bf16    With the matrix unit (amx) sums have another order than elsewhere. Recipes then say
                              "bf16, matrix unit", and a capture that was begun without it can't be resumed with it.
          LAPACK              Eigenvalues, eigenvectors, singular values and products in float64 (manifold, pca,
                              spectrum, subspace, the geometry of compare): OpenBLAS has kernels of its own for each
                              processor, and the last digits differ.
          The math library    Sines, cosines, logarithms and powers are the system's. One version of it gives the same
                              bits on processors with FMA; another version, or another system, may not.
        """
}
