import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Folders whose files are parts of one checkpoint.
@Suite struct FolderTests {
  /// The files of a folder of `Fixtures` under the name `f`, changed by `change`.
  private func folder(
    _ name: String, _ change: (inout [String: [UInt8]]) throws -> Void = { _ in }
  ) throws -> FileProbe {
    var files: [String: [UInt8]] = [:]
    func add(_ path: String, as inner: String) throws {
      let probe = try FileProbe(path: path)
      guard let members = probe.members else {
        files[inner] = try probe.source.bytes(0..<probe.size)
        return
      }
      for member in members { try add(path + "/" + member, as: inner + "/" + member) }
    }
    try add(Fixtures.path(name), as: "f")
    try change(&files)
    return try FileProbe("f", in: MemoryFiles(files).place)
  }

  private func message(_ probe: FileProbe, _ options: OpenOptions = OpenOptions()) throws -> String
  {
    let format = try #require(CheckpointFormat.recognized(probe))
    let error = try #require(
      #expect(throws: CheckpointError.self) { try format.open(probe, options) })
    return error.message
  }

  private func notes(_ probe: FileProbe) throws -> [String] {
    try #require(CheckpointFormat.recognized(probe)).open(probe, OpenOptions()).notes
  }

  // MARK: - DeepSpeed

  static let tag = "f/global_step2/"

  @Test func `the folder of a step is read as the one that names it`() throws {
    let whole = try CheckpointFormat.deepspeed.open(Fixtures.path("deepspeed/stage3"))
    let step = try CheckpointFormat.deepspeed.open(
      Fixtures.path("deepspeed/stage3/global_step2"))
    #expect(try Golden.tensors(of: step) == Golden.tensors(of: whole))
    #expect(step.entries.last?.alias == "embed.weight")
    #expect(step.checkpoint.value(at: "epoch") == .integer(7))
    #expect(step.checkpoint.value(at: "param_shapes") == nil)
  }

  @Test func `a frozen parameter that is not joined is named`() throws {
    let opened = try CheckpointFormat.deepspeed.open(Fixtures.path("deepspeed/stage1"))
    #expect(opened.checkpoint.leftOut["frozen.weight"] != nil)
  }

  @Test func `a rank that is missing is an error`() throws {
    let optimizer = try folder("deepspeed/stage2") {
      $0[Self.tag + "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt"] = nil
    }
    #expect(
      try message(optimizer)
        == "expected 3 files *_optim_states.pt, as partition_count says, found 2; copy those of all ranks"
    )
    let model = try folder("deepspeed/stage3") {
      $0[Self.tag + "zero_pp_rank_1_mp_rank_00_model_states.pt"] = nil
    }
    #expect(try message(model).hasPrefix("expected 2 files *_model_states.pt"))
    let noModel = try folder("deepspeed/stage1") {
      $0[Self.tag + "mp_rank_00_model_states.pt"] = nil
    }
    #expect(try message(noModel).hasPrefix("holds no *_model_states.pt"))
    let parts = try folder("deepspeed/stage3") { files in
      for name in files.keys where name.hasSuffix("_optim_states.pt") { files[name] = nil }
    }
    #expect(try message(parts).hasPrefix("holds no *_optim_states.pt"))
  }

  @Test func `ranks of tensor and pipeline parallelism are refused`() throws {
    let tensor = try folder("deepspeed/stage1") {
      $0[Self.tag + "mp_rank_01_model_states.pt"] = []
    }
    #expect(try message(tensor).contains("model-parallel ranks ('mp_rank_01_model_states.pt')"))
    let layers = try folder("deepspeed/stage1") {
      $0[Self.tag + "layer_00-model_00-model_states.pt"] = []
    }
    #expect(try message(layers).contains("holds the layers or experts"))
  }

  @Test func `a model without partitions is read from its file`() throws {
    let whole = try folder("deepspeed/stage1") { files in
      for name in files.keys where name.hasSuffix("_optim_states.pt") { files[name] = nil }
    }
    let opened = try CheckpointFormat.deepspeed.open(whole, OpenOptions())
    #expect(opened.entries.map(\.name).contains("frozen.weight"))
    #expect(opened.notes.first == "reading 'mp_rank_00_model_states.pt'")
  }

  @Test func `what 'latest' names stays in the folder, and others are named`() throws {
    for tag in ["..", "../f", "/etc", "f/../..", "", "no"] {
      let probe = try folder("deepspeed/stage1") { $0["f/latest"] = Array(tag.utf8) }
      #expect(!CheckpointFormat.deepspeed.recognizes(probe))
    }
    let two = try folder("deepspeed/stage1") { $0["f/global_step1/a"] = [] }
    #expect(
      try notes(two).first
        == "reading 'global_step2', which 'latest' names; the folder also holds 'global_step1': name it to read it"
    )
  }

  @Test(arguments: ["stage2", "stage3"])
  func `changed bytes are read or refused`(_ name: String) throws {
    let good = try folder("deepspeed/" + name)
    let files = try FileProbe("global_step2", in: good.folder).members ?? []
    var random = SplitMix(seed: 7)
    for file in files {
      for _ in 0..<150 {
        let probe = try folder("deepspeed/" + name) { content in
          let path = Self.tag + file
          guard var bytes = content[path] else { return }
          let place = Int(random.next() % UInt64(bytes.count))
          bytes[place] ^= UInt8(1 << (random.next() % 8))
          content[path] = bytes
        }
        do {
          let opened = try CheckpointFormat.deepspeed.open(probe, OpenOptions())
          for entry in opened.entries where entry.info.byteCount < 1 << 20 {
            _ = try entry.allBytes()
          }
        } catch {
          #expect(error is CheckpointError)
        }
      }
    }
  }

  // MARK: - Others

  @Test func `the key chooses a model of a pipeline`() throws {
    let path = Fixtures.path("diffusers/pipeline")
    let format = CheckpointFormat.diffusers
    let all = try format.open(path)
    #expect(all.parts.map(\.key) == ["unet", "vqvae"] && all.partsNote == nil)
    let one = try format.open(path, OpenOptions(key: "vqvae"))
    #expect(one.parts.map(\.isOpened) == [false, true] && one.notes.isEmpty)
    let alone = try CheckpointFormat.safetensors.open(path + "/vqvae")
    #expect(try Golden.tensors(of: one) == Golden.tensors(of: alone))
    #expect(all.entries.count > one.entries.count)
    #expect(
      try message(FileProbe(path: path), OpenOptions(key: "vae"))
        == "unknown part 'vae': expected one of unet, vqvae")
  }

  @Test func `a model of a pipeline that is missing is named`() throws {
    let probe = try folder("diffusers/pipeline") { files in
      for name in files.keys where name.hasPrefix("f/vqvae/") { files[name] = nil }
    }
    #expect(try notes(probe) == ["'vqvae' of model_index.json is not in the folder"])
  }

  @Test func `the file that diffusers reads is chosen among several`() throws {
    let probe = try folder("diffusers/pipeline") { files in
      let model = "f/unet/diffusion_pytorch_model"
      files[model + ".fp16.safetensors"] = files[model + ".safetensors"]
    }
    let opened = try CheckpointFormat.diffusers.open(probe, OpenOptions())
    #expect(opened.entries.first?.name.text.hasPrefix("unet.") == true)
  }

  @Test func `a folder with one model beside other checkpoints says so`() throws {
    let probe = try folder("diffusers/pipeline/unet") { files in
      files["f/optimizer.pt"] = [0]
      files["f/training_args.bin"] = [0]
    }
    #expect(
      try notes(probe) == [
        "reading 'diffusion_pytorch_model.safetensors'; the folder also holds optimizer.pt: name one to read it"
      ])
  }

  @Test func `a rank of consolidated files that is missing is an error`() throws {
    let probe = try folder("consolidated/llama2") { $0["f/consolidated.00.pth"] = nil }
    #expect(
      try message(probe)
        == "expected 'consolidated.00' before 'consolidated.01.pth', found none; copy the files of all ranks"
    )
    let one = try CheckpointFormat.consolidated.open(
      Fixtures.path("consolidated/llama2"), OpenOptions(key: "consolidated.01"))
    #expect(one.entries.first { $0.name == "output.weight" }?.info.shape.sizes == [5, 8])
  }

  @Test(arguments: [
    ("model_world_size_8_rank_3.pt", "is named like the file of rank 3 of 8 (FSDP"),
    ("pytorch_model_rank0.bin", "is named like the file of rank 0 (FSDP"),
    ("zero_pp_rank_0_mp_rank_00_model_states.pt", "is the file of one rank of DeepSpeed"),
    ("consolidated.01.pth", "is the file of one model-parallel rank"),
    ("checkpoint_last-shard1.pt", "is named like one shard of several (fairseq)"),
    ("f/mp_rank_01/model_optim_rng.pt", "is the file of one rank of Megatron (mp_rank_01)"),
    ("f/mp_rank_00/model_optim_rng.pt", ""), ("rng_state_rank_1.pt", ""), ("lora_rank_16.pt", ""),
    ("consolidated.00.pth", ""), ("frank1.pt", ""),
  ])
  func `the file of one rank is named`(_ name: String, _ start: String) throws {
    let bytes = try Fixtures.bytes("consolidated/llama2/consolidated.00.pth")
    let (folder, file) = Place.divided(name)
    let place = MemoryFiles([name: bytes]).place
    let probe = try FileProbe(
      file, in: folder.isEmpty ? place : place.folder(String(folder.dropLast())))
    let notes = try CheckpointFormat.pytorch.open(probe, OpenOptions()).notes
    #expect(notes.first?.hasPrefix(start) ?? start.isEmpty)
    #expect(notes.isEmpty == start.isEmpty)
  }

  @Test func `the name of a TensorFlow checkpoint without an ending opens its index`() throws {
    let index = try #require(
      try FileProbe(path: Fixtures.path("tensorflow")).members?.first { $0.hasSuffix(".index") })
    let path = Fixtures.path("tensorflow/" + index.dropLast(".index".count))
    #expect(try FileProbe.checkpoint(path).name == index)
    #expect(throws: CheckpointError.self) { try FileProbe.checkpoint(path + "-no") }
  }
}
