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

/// Modules that compute nothing are compiled without optimisation, which takes a fifth of the time, and run no slower.
let glue = common + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

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

        module("TerminalText", [], settings: glue),
        module("JSON", ["TerminalText"], settings: kernel),
        module("Statistics", [], settings: kernel),
        module("Sites", []),
        module("Control", [], settings: kernel),
        module("Provenance", ["JSON"], settings: glue),
        module("HDF5", ["CHDF5", "TerminalText"]),
        module("LinearAlgebra", ["Control", "Statistics", "COpenBLAS", "CKernels"], settings: kernel),
        module("Tokenizers", ["JSON", "TerminalText"], settings: kernel),
        module(
            "Models", ["LinearAlgebra", "Control", "Statistics", "Sites", "JSON", "Tokenizers", "HDF5"],
            settings: kernel),
        module(
            "Checkpoints",
            [
                "Models", "LinearAlgebra", "Control", "Statistics", "Sites", "JSON", "Tokenizers", "HDF5", "COpenSSL",
                "TerminalText",
            ], settings: kernel),
        module("Geometry", ["LinearAlgebra", "Control", "Statistics"], settings: kernel),
        module(
            "Workbench",
            [
                "Geometry", "Models", "Checkpoints", "LinearAlgebra", "Tokenizers", "HDF5", "Statistics", "Sites",
                "Control", "Provenance", "JSON", "TerminalText",
            ], settings: kernel),
        module(
            "Comparison",
            [
                "Workbench", "Geometry", "Models", "Checkpoints", "LinearAlgebra", "Tokenizers", "Statistics", "Sites",
                "Control", "JSON", "TerminalText",
            ], settings: kernel),
        module(
            "Directions",
            [
                "Comparison", "Workbench", "Geometry", "Models", "Checkpoints", "LinearAlgebra", "Tokenizers",
                "Statistics", "Control", "Sites", "JSON", "HDF5", "TerminalText",
            ], settings: kernel),
        module(
            "Claims",
            [
                "Directions", "Comparison", "Workbench", "Geometry", "Models", "LinearAlgebra", "Statistics", "Sites",
                "Control", "Provenance", "JSON", "TerminalText",
            ], settings: kernel),
        module("Reports", ["Control", "Statistics", "Provenance", "JSON", "TerminalText"], settings: glue),
        module("Terminal", ["Checkpoints", "Control", "TerminalText"], settings: glue),
        module("LineEditor", ["CReadline", "TerminalText"], settings: glue),
        module("Language", ["TerminalText"]),
        module(
            "Shell",
            [
                "Claims", "Directions", "Comparison", "Workbench", "Geometry", "Checkpoints", "Control", "Statistics",
                "Sites", "JSON", "Provenance", "Language", "Reports", "LineEditor", "Terminal", "TerminalText",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], settings: glue),
        .executableTarget(
            name: "nacre",
            dependencies: ["Shell", "Terminal", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: common),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: common),
        .target(
            name: "WorkbenchTestSupport",
            dependencies: ["Workbench", "Checkpoints", "Control", "LinearAlgebra", "Sites", "TestSupport"],
            path: "Tests/WorkbenchTestSupport", swiftSettings: common),
        tests(
            "ShellTests",
            [
                "Control", "Shell", "Claims", "Directions", "Workbench", "Statistics", "JSON", "Sites", "Language",
                "TestSupport",
                "nacre",
            ]),
        tests(
            "ClaimsTests",
            [
                "Claims", "Control", "Directions", "Comparison", "Workbench", "LinearAlgebra", "Statistics", "Sites",
                "Provenance",
                "JSON", "WorkbenchTestSupport", "TestSupport",
            ]),
        tests("LanguageTests", ["Language", "LineEditor", "TestSupport"]),
        tests("JSONTests", ["JSON"]),
        tests("SitesTests", ["Sites"]),
        tests("TerminalTextTests", ["TerminalText"]),
        tests("ReportsTests", ["Reports", "Provenance"]),
        tests("LineEditorTests", ["LineEditor"]),
        tests("StatisticsTests", ["Statistics"]),
        tests("LinearAlgebraTests", ["Control", "LinearAlgebra", "Statistics"]),
        tests(
            "WorkbenchTests",
            [
                "Control", "Workbench", "Geometry", "Checkpoints", "Models", "LinearAlgebra", "Tokenizers", "HDF5",
                "Statistics",
                "Sites", "Provenance", "JSON", "WorkbenchTestSupport", "TestSupport",
            ]),
        tests(
            "ModelsTests",
            [
                "Control", "Models", "Checkpoints", "HDF5", "LinearAlgebra", "Statistics", "Sites", "JSON",
                "Tokenizers",
                "TestSupport",
            ]),
        tests(
            "ComparisonTests",
            [
                "Control", "Comparison", "Workbench", "Geometry", "Checkpoints", "Models", "LinearAlgebra",
                "Statistics", "Sites",
                "JSON", "WorkbenchTestSupport", "TestSupport",
            ]),
        tests(
            "DirectionsTests",
            [
                "Control", "Directions", "Comparison", "Workbench", "Geometry", "Checkpoints", "Models",
                "LinearAlgebra",
                "Statistics", "Sites", "Provenance", "JSON", "HDF5", "Tokenizers", "WorkbenchTestSupport",
                "TestSupport",
            ]),
        tests("GeometryTests", ["Control", "Geometry", "LinearAlgebra", "Statistics", "HDF5", "TestSupport"]),
        tests("HDF5Tests", ["HDF5", "TestSupport"]),
        tests("TokenizersTests", ["Tokenizers", "JSON", "TestSupport"]),
        tests(
            "CheckpointsTests",
            ["Control", "Checkpoints", "HDF5", "Models", "LinearAlgebra", "Statistics", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
