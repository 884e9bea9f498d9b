// swift-tools-version: 6.2
import PackageDescription

let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Kernels are 20-100 times slower without optimisation, so tests build them with it too.
let kernel = common + [.unsafeFlags(["-O"], .when(configuration: .debug))]

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
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),

        module("HDF5", ["CHDF5"]),
        module("TerminalText", []),
        module("LineEditor", ["CReadline", "TerminalText"]),
        module("LinearAlgebra", ["COpenBLAS", "COneDNN"], settings: kernel),
        module("Tokenizers", [], settings: kernel),
        module("Models", ["LinearAlgebra", "Tokenizers", "HDF5"], settings: kernel),
        module("Checkpoints", ["Models", "LinearAlgebra", "Tokenizers", "HDF5", "COpenSSL"]),
        module("Geometry", ["LinearAlgebra"], settings: kernel),
        module("Reports", ["LinearAlgebra", "TerminalText"]),
        module(
            "Shell",
            [
                "Geometry", "Checkpoints", "Models", "LinearAlgebra", "Tokenizers", "Reports", "LineEditor",
                "TerminalText",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(name: "nacre", dependencies: ["Shell"], swiftSettings: common),

        tests("TerminalTextTests", ["TerminalText"]),
        tests("ReportsTests", ["Reports"]),
        tests("LineEditorTests", ["LineEditor"]),
        tests("ShellParserTests", ["Shell", "LineEditor"]),
    ],
    swiftLanguageModes: [.v6]
)
