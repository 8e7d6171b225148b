import CZlib
import TensorCore
