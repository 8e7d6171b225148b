import ByteIO
import HDF5
import JSONText
import TensorCore

/// Filling a copy of an archive in which the weights are a member.
extension KerasArchive {
  /// Decides what changes: bytes of the weights, and our own member for texts.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    let archive = try fill.template.archive
    guard let member = archive.member(named: weights) else {
      throw CheckpointError(.missing, "expected a member '\(weights)', found none")
    }
    let source = try archive.file(of: member) ?? archive.unpacked(member)
    var part = fill
    part.metadata = [:]
    let filling = try KerasFilling.filling(try HDF5File(source), part)
    var copy = try ArchiveCopy(of: archive, replacing: [member], recording: fill.metadata)
    copy.keepsSome(of: member)
    let patches = filling.patches
    if let patches { copy.contents.add(patches, at: copy.start(of: member)) }
    let decided = copy
    return FilledFiles(fill.template.name) { sink in
      var copy = decided
      if patches == nil {
        // How large it gets is known when it has been written.
        let file = try ByteSink.temporary(for: sink.name)
        try await filling.write(to: file)
        try copy.replace(member, with: try file.readBack())
      }
      try await copy.write(to: sink, threads: fill.threads)
    }
  }
}

/// Filling the affected ones of several files with a map.
extension KerasShards {
  /// Decides what changes: files that have a new tensor, and the map if there are texts to record.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    let probe = fill.template
    let source = try probe.source
    let old = try source.bytes(0..<source.size)
    let files = Set(try index(old).map.values.joined().map { TensorName($0) }).sorted()
    var filled = FilledFiles([])
    filled.main = probe.name
    let neighbors = probe.neighbors
    for name in files {
      let file = try HDF5File(try neighbors.open(name.text))
      let content = KerasWeightsFile.content(of: file.table)
      var part = fill
      part.metadata = [:]
      part.tensors = [:]
      for variable in content.model + content.optimizer {
        part.tensors[variable.name] = fill.tensors[variable.name]
      }
      if part.tensors.isEmpty {
        filled.unchanged.append(name.text)
        continue
      }
      try CheckpointError.placing(path: probe.place.path(of: name.text)) {
        () throws(CheckpointError) in
        let filling = try KerasFilling.filling(file, part)
        filled.files.append(.init(name.text) { try await filling.write(to: $0) })
      }
    }
    let new = try JSONScanner.setting(fill.metadata, in: "metadata", of: old)
    if new == old {
      filled.unchanged.append(probe.name)
    } else {
      filled.files.append(.init(probe.name) { try $0.append(new.rawBytes) })
    }
    return filled
  }
}
