// swift-tools-version: 6.2
import PackageDescription

// Apart from the library's own package, so that whoever depends on that does not build this.
let package = Package(
  name: "storage-bench",
  dependencies: [.package(name: "ckpt", path: "../../..")],
  targets: [
    .executableTarget(
      name: "storage-bench", dependencies: [.product(name: "CheckpointKit", package: "ckpt")])
  ]
)
