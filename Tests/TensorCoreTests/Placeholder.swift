import Testing
import TensorCore
