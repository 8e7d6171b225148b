import ModuleTree
import TensorCore
import TestSupport
import Testing

/// What every layer of `KnownLayers.all` must keep.
@Suite struct LayerContract {
  /// Every module with a layer in the goldens' printed texts.
  static let layers: [Module] = {
    let texts =
      ((try? (Golden.modules() + Golden.hiddenModules()).map(\.repr)) ?? [])
      + ((try? Golden.nets().map(\.print)) ?? [])
    return texts.flatMap { text in
      ((try? Module(printed: text)) ?? Module(kind: "")).modules().filter {
        $0.layer != nil && KnownLayers.knows($0.kind)
      }
    }
  }()

  /// Options that change no tensor and that layers do not keep.
  static let unkept = ["max_norm"]

  @Test func `every class has a golden`() throws {
    let old = try Module(printed: PastedTextTests.text("version-1.6"))
    let seen = Set((Self.layers + old.modules()).map(\.kind))
    for type in KnownLayers.all {
      for kind in type.classes.keys { #expect(seen.contains(kind), "\(kind)") }
    }
  }

  @Test(arguments: layers.indices)
  func `a printed layer prints itself back`(index: Int) throws {
    let module = Self.layers[index]
    let layer = try #require(module.layer)
    #expect(layer.kind == module.kind)
    guard !Self.unkept.contains(where: { module.arguments.contains($0) }) else { return }
    #expect(layer.arguments == module.arguments)
    let composed = layer.module
    guard composed.children().count == module.children().count else { return }
    #expect(try tensors(Module(printed: composed.description)) == tensors(module))
  }

  @Test(arguments: layers.indices)
  func `names are dotless, distinct, and every parameter has a way to begin`(index: Int) {
    let module = Self.layers[index]
    let names = module.ownParameters.map(\.name) + module.ownBuffers.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(!names.contains { $0.contains(".") || $0.isEmpty })
    if !(module.layer is ParameterCollection) {
      #expect(module.ownParameters.allSatisfy { $0.initializer != nil })
    }
  }

  private func tensors(_ module: Module) -> [String] {
    module.stateDict().map { "\($0.name) \($0.shape) \($0.dtype(inModelOf: .float32))" }
  }
}
