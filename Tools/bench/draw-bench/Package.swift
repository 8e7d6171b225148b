// swift-tools-version: 6.2
import PackageDescription

// Apart from the main package, so that nobody builds it who only wants the product.
let package = Package(
  name: "draw-bench",
  dependencies: [.package(name: "ckpt", path: "../../..")],
  targets: [
    .executableTarget(
      name: "draw-bench", dependencies: [.product(name: "CheckpointKit", package: "ckpt")])
  ]
)
