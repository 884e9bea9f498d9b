// swift-tools-version: 6.2
import PackageDescription

let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Kernels are 20-100 times slower without optimisation, so tests build them with it too; on x86-64 they may use AVX2
/// and FMA (2013 and newer): a forward pass took 0.44 s with it and 0.49 s without, a decoded token 27 ms and 34 ms.
#if arch(x86_64)
    let instructions = ["-Xcc", "-march=x86-64-v3"]
#else
    let instructions: [String] = []
#endif
let kernel =
    common + [
        .unsafeFlags(["-O"], .when(configuration: .debug)), .unsafeFlags(instructions),
    ]

func module(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = common) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: common)
}

let package = Package(
    name: "nacre",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "nacre", targets: ["nacre"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // C libraries: a module map and inline shims, nothing else. Each is imported by one module.
        .systemLibrary(
            name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
        .target(
            name: "CReadline", publicHeadersPath: "include", linkerSettings: [.linkedLibrary("readline")]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),

        // The matrix product's inner loops: a target attribute for each function, so no flag names a processor.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])]),

        module("TerminalText", []),
        module("HDF5", ["CHDF5", "TerminalText"]),
        module("LineEditor", ["CReadline", "TerminalText"]),
        module("LinearAlgebra", ["COpenBLAS", "CKernels"], settings: kernel),
        module("Tokenizers", ["TerminalText"], settings: kernel),
        module("Models", ["LinearAlgebra", "Tokenizers", "HDF5"], settings: kernel),
        module(
            "Checkpoints", ["Models", "LinearAlgebra", "Tokenizers", "HDF5", "COpenSSL", "TerminalText"],
            settings: kernel),
        module("Geometry", ["LinearAlgebra"], settings: kernel),
        module("Comparison", ["Geometry", "Checkpoints", "Models", "LinearAlgebra"], settings: kernel),
        module(
            "Directions", ["Geometry", "Comparison", "Checkpoints", "Models", "LinearAlgebra", "HDF5"], settings: kernel
        ),
        module("Reports", ["LinearAlgebra", "TerminalText"]),
        module(
            "Shell",
            [
                "Directions", "Comparison", "Geometry", "Checkpoints", "Models", "LinearAlgebra", "Tokenizers", "HDF5",
                "Reports",
                "LineEditor", "TerminalText", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "nacre",
            dependencies: ["Shell", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: common),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: common),
        tests("ShellTests", ["Shell", "TestSupport", "nacre"]),
        tests("ShellParserTests", ["Shell", "LineEditor"]),
        tests("TerminalTextTests", ["TerminalText"]),
        tests("ReportsTests", ["Reports"]),
        tests("LineEditorTests", ["LineEditor"]),
        tests("LinearAlgebraTests", ["LinearAlgebra"]),
        tests("ModelsTests", ["Models", "Checkpoints", "HDF5", "LinearAlgebra", "Tokenizers", "TestSupport"]),
        tests("ComparisonTests", ["Comparison", "Geometry", "Checkpoints", "Models", "LinearAlgebra", "TestSupport"]),
        tests(
            "DirectionsTests",
            ["Directions", "Checkpoints", "Models", "LinearAlgebra", "HDF5", "Tokenizers", "TestSupport"]),
        tests("GeometryTests", ["Geometry", "LinearAlgebra", "HDF5", "TestSupport"]),
        tests("HDF5Tests", ["HDF5", "TestSupport"]),
        tests("TokenizersTests", ["Tokenizers"]),
        tests("CheckpointsTests", ["Checkpoints", "HDF5", "Models", "LinearAlgebra", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
