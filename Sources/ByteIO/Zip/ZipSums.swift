import Ranks
import Synchronization
import TensorCore

/// The sums of members that several ranks read together.
enum ZipSums {
  private struct Archive {
    weak var archive: ZipArchive?
  }

  /// A member, which every rank calls the same.
  private struct Key: Hashable {
    let path: String
    let index: Int
    let sum: UInt32
  }

  private static let archives = Mutex<[Archive]>([])

  /// Takes part for an archive as long as it is open; one process alone needs nothing of this.
  static func keep(for archive: ZipArchive) {
    guard Ranks.areSeveral else { return }
    archives.withLock { archives in
      archives.removeAll { $0.archive == nil }
      archives.append(Archive(archive: archive))
    }
    PartialSums.keep(PartialSums(collect: collect, join: join))
  }

  private static var open: [ZipArchive] { archives.withLock { $0.compactMap(\.archive) } }

  private static func collect() -> [UInt8] {
    var record = RecordWriter()
    for archive in open {
      for (index, state) in archive.states.withLock({ $0 }) {
        guard case .reading(let sums) = state, archive.hasSum(archive.members[index]) else {
          continue
        }
        record.add(archive.file.name)
        record.add(index)
        record.add(archive.members[index].crc32)
        record.add(sums.pieces.count)
        for piece in sums.pieces {
          record.add(piece.range.lowerBound)
          record.add(piece.range.upperBound)
          record.add(piece.sum)
        }
      }
    }
    return record.bytes
  }

  private static func join(_ parts: [[UInt8]]) -> Bool {
    var all: [Key: PieceSums] = [:]
    for part in parts {
      var record = RecordReader(part)
      while !record.isAtEnd {
        let key = Key(
          path: record.text(), index: record.integer(), sum: record.integer(UInt32.self))
        for _ in 0..<record.integer() {
          let start = record.integer()
          let range = start..<record.integer()
          all[key, default: PieceSums()].add(range, record.integer(UInt32.self))
        }
      }
    }
    var isDamaged = false
    for archive in open {
      for (key, sums) in all where key.path == archive.file.name {
        // Another file may have had the name.
        guard archive.members.indices.contains(key.index),
          case let member = archive.members[key.index], member.crc32 == key.sum,
          let sum = sums.sum(ofFirst: member.size)
        else { continue }
        let isSound = sum == member.crc32
        if !isSound { isDamaged = true }
        archive.states.withLock {
          $0[member.index] = isSound ? .sound : .damaged(ZipArchive.wrongSum(sum, of: member))
        }
      }
    }
    return isDamaged
  }
}
