// swift-tools-version: 6.2

import PackageDescription

/// One rule book for every target: Swift 6 mode, explicit imports and existentials, no warning left standing.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let grpcCore: Target.Dependency = .product(name: "GRPCCore", package: "grpc-swift-2")
let grpcProtobuf: Target.Dependency = .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let grpcTransport: Target.Dependency = .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// Built by Scripts/bootstrap, since Debian has no archive of it.
let isal = LinkerSetting.unsafeFlags(["-L/usr/local/lib", "-l:libisal.a"])

/// Golden files (`Fixtures`) are found beside the tests' sources; they are no resources of a bundle.
func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        exclude: fixtures ? ["Fixtures"] : [],
        swiftSettings: settings
    )
}

let package = Package(
    name: "vitess-backup",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "vtbackup", targets: ["vtbackup"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.19.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.38.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.11.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        // Values: pure, small, stable.
        library("Vocabulary"),
        library("Positions"),
        library("Catalog", ["Positions", "Vocabulary"]),
        // What everything stands on: tasks and threads, this machine, child processes.
        .systemLibrary(name: "CLinux"),
        library("Concurrency", [nioCore, nioPosix]),
        library("Host", ["CLinux", "Vocabulary", nioCore, nioPosix, system]),
        library("Processes", ["CLinux", "Host", "Vocabulary", nioCore, subprocess, system]),
        // Seams and their local implementations.
        .systemLibrary(name: "CISAL"),
        .systemLibrary(name: "CLZ4"),
        .systemLibrary(name: "CZstd"),
        .target(
            name: "Compression",
            dependencies: ["CISAL", "CLinux", "CLZ4", "CZstd", "Processes", "Vocabulary", nioCore],
            swiftSettings: settings,
            linkerSettings: [isal] + [":libzstd.a", ":liblz4.a", ":libxxhash.a"].map { .linkedLibrary($0) }
        ),
        .target(
            name: "Storage",
            dependencies: ["Catalog", "CISAL", "CLinux", "Concurrency", "Host", "Vocabulary", nioCore, system],
            swiftSettings: settings,
            linkerSettings: [isal]
        ),
        .target(name: "InnoDB", dependencies: ["CISAL"], swiftSettings: settings, linkerSettings: [isal]),
        library("MySQLWire", ["Concurrency", asn1, crypto, cryptoExtras, nioCore, nioPosix, nioSSL, nioTLS, system]),
        library(
            "MySQLControl",
            [
                "CLinux", "Concurrency", "Host", "MySQLWire", "Positions", "Processes", "Vocabulary", logging, nioCore,
                subprocess, system,
            ]
        ),
        // Generated by Scripts/generate-protos; its style is the generators'. What it calls unchecked or unsafe is the storage
        // of large messages, which SwiftProtobuf copies before it is written to while it is shared.
        .target(name: "WireProtos", dependencies: [grpcCore, grpcProtobuf, protobuf]),
        library("GRPCDialing", ["Host", asn1, grpcTransport, nioCore, nioSSL, system, x509]),
        library("Topology", ["Concurrency", "Host", "Vocabulary", "WireProtos", protobuf, system]),
        library(
            "TopologyBackends",
            [
                "Concurrency", "GRPCDialing", "Topology", "WireProtos", grpcCore, grpcTransport, nioPosix, protobuf,
            ]
        ),
        library(
            "Engines",
            [
                "Catalog", "Compression", "Concurrency", "Host", "InnoDB", "MySQLControl", "Positions", "Processes",
                "Storage", "Vocabulary", logging, nioCore, system,
            ]
        ),
        library(
            "Workflows",
            [
                "Catalog", "Compression", "Concurrency", "Engines", "Host", "MySQLControl", "Positions", "Storage",
                "Topology", "Vocabulary", logging, nioCore, system,
            ]
        ),
        library(
            "TabletRPC",
            [
                "Concurrency", "GRPCDialing", "Host", "MySQLControl", "MySQLWire", "Positions", "Topology",
                "WireProtos",
                "Workflows", grpcCore, grpcTransport, nioCore, protobuf, system,
            ]
        ),
        library("CommandLineKit", ["Vocabulary", argumentParser]),
        library("Observability", ["Host", "Vocabulary", logging, system]),
        library(
            "ServerAssembly",
            [
                "Catalog", "CommandLineKit", "Compression", "Concurrency", "Engines", "GRPCDialing", "Host",
                "MySQLControl", "MySQLWire", "Observability", "Positions", "Processes", "Storage", "TabletRPC",
                "Topology", "TopologyBackends", "Vocabulary", "Workflows", argumentParser, logging, nioCore, nioPosix,
                system, unixSignals,
            ]
        ),
        // Programs.
        .executableTarget(
            name: "vtbackup",
            dependencies: [
                "CommandLineKit", "Host", "MySQLControl", "Observability", "ServerAssembly", argumentParser, logging,
                system,
            ],
            swiftSettings: settings
        ),
        // Tests: honest fakes, real servers, and one folder of tests a target.
        .target(name: "CFaults"),
        library(
            "TestKit",
            [
                "CFaults", "Catalog", "Compression", "Concurrency", "Engines", "Host", "MySQLControl", "MySQLWire",
                "Positions", "Storage", "Topology", "Vocabulary", "WireProtos", "Workflows", grpcCore, grpcTransport,
                logging, nioCore, nioPosix, protobuf,
                subprocess, system,
            ]
        ),
        tests("PositionsTests", ["Positions"]),
        tests("VocabularyTests", ["Vocabulary"]),
        tests("CatalogTests", ["Catalog", "Positions", "Vocabulary"], fixtures: true),
        tests("ConcurrencyTests", ["Concurrency", system]),
        tests("HostTests", ["Host", system]),
        tests("ProcessesTests", ["Processes"]),
        tests("CompressionTests", ["Compression", "Processes", "Storage", nioCore]),
        tests("StorageTests", ["Catalog", "Concurrency", "Host", "Storage", "TestKit", "Vocabulary", nioCore, system]),
        tests("InnoDBTests", ["InnoDB"]),
        tests("CommandLineKitTests", ["CommandLineKit", "Vocabulary", argumentParser]),
        tests(
            "MySQLWireTests",
            ["Concurrency", "Host", "MySQLWire", crypto, cryptoExtras, nioCore, nioEmbedded, nioPosix, system]
        ),
        tests(
            "EnginesTests",
            [
                "Catalog", "Compression", "Concurrency", "Engines", "Host", "MySQLControl", "Processes", "Storage",
                "TestKit", "Vocabulary", logging, nioCore, system,
            ]
        ),
        tests(
            "ServerAssemblyTests",
            [
                "Catalog", "CommandLineKit", "Compression", "Host", "Observability", "Processes", "ServerAssembly",
                "Vocabulary", "Workflows", argumentParser, system,
            ],
            fixtures: true
        ),
        tests(
            "MySQLControlTests",
            ["Host", "MySQLControl", "MySQLWire", "Positions", "TestKit", "Vocabulary", system],
            fixtures: true
        ),
        tests("GRPCDialingTests", ["GRPCDialing", "Host", "TestKit", nioSSL, system]),
        tests("WireProtosTests", ["WireProtos", protobuf], fixtures: true),
        tests(
            "TopologyTests",
            ["Host", "TestKit", "Topology", "Vocabulary", "WireProtos", protobuf, system],
            fixtures: true
        ),
        tests(
            "WorkflowsTests",
            [
                "Catalog", "Compression", "Concurrency", "Engines", "Host", "MySQLControl", "MySQLWire", "Positions",
                "Storage", "TestKit", "Topology", "Vocabulary", "Workflows", logging, system,
            ],
            fixtures: true
        ),
        tests(
            "CampaignTests",
            ["Catalog", "Concurrency", "Host", "MySQLControl", "MySQLWire", "TestKit", "vtbackup", nioCore, system]
        ),
        tests(
            "IntegrationTests",
            [
                "Catalog", "Compression", "Concurrency", "Engines", "GRPCDialing", "Host", "MySQLControl", "MySQLWire",
                "Positions", "Processes", "Storage", "TabletRPC", "TestKit", "Topology", "TopologyBackends",
                "Vocabulary", "WireProtos", "Workflows", "vtbackup", grpcCore, logging, nioCore, nioPosix, subprocess,
                system,
            ]
        ),
    ]
)

// Benchmarks are built on request only: `Scripts/bench` sets the variable.
if Context.environment["VTB_BENCHMARKS"] != nil {
    func benchmark(_ product: String, _ target: String, _ dependencies: [Target.Dependency]) {
        package.products.append(.executable(name: product, targets: [target]))
        package.targets.append(
            .executableTarget(
                name: target,
                dependencies: dependencies,
                path: "Benchmarks/\(target)",
                swiftSettings: settings
            )
        )
    }
    benchmark("gtid-benchmark", "GTIDBenchmark", ["Positions"])
    benchmark(
        "copy-benchmark",
        "CopyBenchmark",
        [
            "Catalog", "Compression", "Concurrency", "Engines", "MySQLControl", "Storage", "Vocabulary", logging,
            nioCore,
            system,
        ]
    )
}

// So are the fuzzers: `Scripts/fuzz` sets the variable.
if Context.environment["VTB_FUZZ"] != nil {
    package.products.append(.executable(name: "decoder-fuzzer", targets: ["DecoderFuzzer"]))
    package.targets.append(
        .executableTarget(
            name: "DecoderFuzzer",
            dependencies: [
                "Catalog", "Compression", "InnoDB", "MySQLWire", "Positions", "Topology", "WireProtos", "Workflows",
                nioCore,
            ],
            path: "Fuzzing/DecoderFuzzer",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
        )
    )
}

// `Scripts/quick` builds what is pure, and nothing else.
if Context.environment["VTB_TARGETS"] == "pure" {
    let pure = ["Vocabulary", "Positions", "Catalog", "InnoDB", "CommandLineKit"]
    let kept = Set(pure + pure.map { "\($0)Tests" } + ["CISAL"])
    package.products = []
    package.targets.removeAll { !kept.contains($0.name) }
}
