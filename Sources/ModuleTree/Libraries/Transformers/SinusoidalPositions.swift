internal import Glibc
import TensorCore
internal import TorchRandom

/// Sines and cosines of positions, as tables that are not trained hold them: all sines of a row,
/// then its cosines.
struct SinusoidalPositions: Initializer, Hashable {
  /// How the angles are computed.
  enum Way: String, CaseIterable {
    /// In float64: transformers 5.24 `models/marian/modeling_marian.py`, `create_weight`.
    case halves
    /// In float32: `models/whisper/modeling_whisper.py`, `sinusoids`. PyTorch's own exponential,
    /// sine, and cosine differ from the rounded ones in some last bits.
    case whisper
  }

  let way: Way

  let name = "sinusoidal_positions"
  var description: String { "\(name)(\(way.rawValue))" }

  static let syntax = InitializerSyntax(
    "sinusoidal_positions", .word("way", default: Way.halves.rawValue)
  ) { values throws(CheckpointError) in SinusoidalPositions(way: try values.word(0, Way.self)) }

  func fill(for info: TensorInfo) throws -> TensorFill {
    guard info.shape.count == 2, info.shape[1] > 1, info.dtype == .float32 else {
      throw CheckpointError(
        .mismatched, "\(name): expected float32 with 2 dimensions, found shape \(info.shape)")
    }
    return .computed {
      let (rows, columns) = (info.shape[0], info.shape[1])
      var bytes: [UInt8] = []
      bytes.reserveCapacity(info.byteCount)
      let sines = (columns + 1) / 2
      for position in 0..<rows {
        for column in 0..<columns {
          let isSine = column < sines
          let angle = self.angle(position, isSine ? column : column - sines, columns)
          let bits = Float(isSine ? sin(angle) : cos(angle)).bitPattern
          bytes += (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
        }
      }
      return bytes
    }
  }

  private func angle(_ position: Int, _ pair: Int, _ columns: Int) -> Double {
    switch way {
    case .halves: return Double(position) / pow(10_000, Double(2 * pair) / Double(columns))
    case .whisper:
      let step = log(10_000.0) / Double(columns / 2 - 1)
      let scale = Float(exp(Double(Float(-step) * Float(pair))))
      return Double(Float(position) * scale)
    }
  }
}
