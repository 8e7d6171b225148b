// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "ckpt",
  products: [
    .library(name: "CheckpointKit", targets: ["CheckpointKit"]),
    .executable(name: "ckpt", targets: ["ckpt"]),
  ],
  traits: [
    .trait(name: "MPI", description: "Run as several ranks under mpirun or srun.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    // libhdf5, libcurl, PCRE2, liblzma, and libbz2 are loaded when they are first needed: only their
    // headers are used here.
    .target(name: "CLoaded"),
    .target(name: "CHDF5", dependencies: ["CLoaded"]),
    .target(name: "CCurl", dependencies: ["CLoaded"]),
    .target(name: "CPCRE2", dependencies: ["CLoaded"]),
    .systemLibrary(name: "CLZMA", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(name: "CBZip2", providers: [.apt(["libbz2-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CLinux"),
    .target(
      name: "TensorCore",
      dependencies: ["CKernels", .product(name: "Crypto", package: "swift-crypto")]),
    // Used with the trait alone: its name for pkg-config is that of Open MPI, or the one that is set.
    .systemLibrary(
      name: "CMPI", pkgConfig: Context.environment["MPI_PKG_CONFIG"] ?? "ompi-c",
      providers: [.apt(["libopenmpi-dev"])]),
    .target(
      name: "Ranks",
      dependencies: ["TensorCore", .target(name: "CMPI", condition: .when(traits: ["MPI"]))]),
    .target(name: "ParallelWork", dependencies: ["Ranks", "TensorCore"]),
    .target(name: "Strided", dependencies: ["ParallelWork", "TensorCore"]),
    .target(
      name: "CKernels",
      cSettings: [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]),
    .target(name: "TorchRandom", dependencies: ["CKernels", "TensorCore"]),
    .target(name: "JSONText", dependencies: ["TensorCore"]),
    .target(
      name: "ModuleTree", dependencies: ["CPCRE2", "JSONText", "TorchRandom", "TensorCore"]),
    .target(
      name: "ByteIO",
      dependencies: [
        "CBZip2", "CCurl", "CDeflate", "CKernels", "CLZMA", "CLinux", "CZlib", "ParallelWork",
        "Ranks", "TensorCore",
      ]),
    .target(name: "HDF5", dependencies: ["ByteIO", "CHDF5", "ParallelWork", "TensorCore"]),
    .target(
      name: "CheckpointFormats",
      dependencies: [
        "HDF5", "ByteIO", "JSONText", "Strided", "ParallelWork", "Ranks", "TensorCore",
      ]),
    .target(
      name: "CheckpointKit",
      dependencies: [
        "CheckpointFormats", "ModuleTree", "TorchRandom", "ByteIO", "JSONText", "Strided",
        "ParallelWork", "Ranks", "TensorCore",
      ],
      // The parts of a page that `ckpt report` writes: in the binary, which stays one file.
      resources: [.embedInCode("Report/Page")]),
    // The command as a library: the program and the C interface both run it.
    .target(
      name: "CheckpointCommand",
      dependencies: [
        "CLinux", "CheckpointKit", "JSONText", "Ranks",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/ckpt"),
    .executableTarget(name: "ckpt", dependencies: ["CheckpointCommand"], path: "Sources/Program"),
    // The C interface: ckpt.h declares it, and the compiler compares both.
    .target(name: "CCkpt"),
    .target(
      name: "CheckpointC",
      dependencies: ["CCkpt", "CheckpointCommand", "JSONText", "ParallelWork", "TensorCore"]),
    // What Tools/bench measures; nobody who depends on the library builds them.
    .executableTarget(
      name: "StorageBench",
      dependencies: [
        "CheckpointFormats", "CheckpointKit", "ParallelWork", "TensorCore", "TorchRandom",
      ],
      path: "Tools/bench/StorageBench"),
    .executableTarget(
      name: "DrawBench", dependencies: ["ParallelWork", "TensorCore", "TorchRandom"],
      path: "Tools/bench/DrawBench"),
    .target(
      name: "TestSupport", dependencies: ["ByteIO", "ParallelWork", "Ranks", "TensorCore"],
      path: "Tests/TestSupport"),
    .target(
      name: "HDF5Oracle", dependencies: ["CHDF5", "HDF5", "TensorCore"], path: "Tests/HDF5Oracle"),
    .testTarget(
      name: "TensorCoreTests", dependencies: ["ParallelWork", "TensorCore", "TestSupport"]),
    .testTarget(
      name: "ParallelWorkTests",
      dependencies: ["ParallelWork", "Ranks", "TensorCore", "TestSupport"]),
    .testTarget(
      name: "StridedTests", dependencies: ["Strided", "ParallelWork", "TensorCore", "TestSupport"]),
    .testTarget(name: "JSONTextTests", dependencies: ["JSONText", "TensorCore"]),
    .target(
      name: "CKernelVariants", dependencies: ["CKernels"], path: "Tests/CKernelVariants"),
    .testTarget(
      name: "TorchRandomTests",
      dependencies: [
        "CKernelVariants", "CKernels", "TorchRandom", "ParallelWork", "TensorCore", "TestSupport",
      ]),
    .testTarget(
      name: "ModuleTreeTests",
      dependencies: ["ModuleTree", "TorchRandom", "ParallelWork", "TensorCore", "TestSupport"]),
    .testTarget(
      name: "ByteIOTests",
      dependencies: [
        "ByteIO", "CKernelVariants", "CKernels", "CZlib", "ParallelWork", "TensorCore",
        "TestSupport",
      ]),
    .testTarget(
      name: "CheckpointFormatsTests",
      dependencies: [
        "CheckpointFormats", "HDF5", "HDF5Oracle", "ByteIO", "JSONText", "ParallelWork",
        "TensorCore", "TestSupport",
      ]),
    .testTarget(
      name: "CheckpointKitTests",
      dependencies: [
        "CheckpointKit", "ByteIO", "JSONText", "ParallelWork", "Ranks", "TensorCore",
        "TestSupport",
      ]),
    // What the articles show is compiled as in another package, with what is public.
    .testTarget(
      name: "ArticleTests", dependencies: ["CheckpointKit", "TestSupport"], packageAccess: false),
    .testTarget(
      name: "CommandTests",
      dependencies: ["ckpt", "CheckpointCommand", "CheckpointKit", "HDF5Oracle", "TestSupport"]),
    // The readers and parsers that Tools/fuzz gives any bytes, and the inputs that it has found.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "ByteIO", "CheckpointFormats", "CheckpointKit", "HDF5", "JSONText", "ModuleTree",
        "ParallelWork", "TensorCore", "TestSupport",
      ],
      path: "Tools/fuzz/Targets"),
    .testTarget(name: "FuzzTests", dependencies: ["ByteIO", "FuzzTargets", "TestSupport"]),
  ],
  cLanguageStandard: .c11
)

// The library that Tools/build-library builds; with --static-swift-stdlib, SwiftPM alone cannot link it.
if Context.environment["CKPT_C"] != nil {
  package.products.append(.library(name: "ckpt-c", type: .dynamic, targets: ["CheckpointC"]))
}

// The program that Tools/fuzz/run builds; it can only be linked with -sanitize=fuzzer.
if Context.environment["CKPT_FUZZ"] != nil {
  package.targets += [
    .target(name: "FuzzEntry", dependencies: ["FuzzTargets"], path: "Tools/fuzz/Entry"),
    .executableTarget(name: "Fuzz", dependencies: ["FuzzEntry"], path: "Tools/fuzz/Driver"),
  ]
  for target in package.targets where target.name == "CKernels" {
    target.cSettings? += [
      .unsafeFlags([
        "-fsanitize=undefined", "-fno-sanitize-recover=undefined", "-Wno-pass-failed",
      ])
    ]
  }
}

for target in package.targets where target.type != .system && target.packageAccess {
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),  // functions that return spans
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
  ]
}
