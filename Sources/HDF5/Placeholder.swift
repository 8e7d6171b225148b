import CHDF5
import TensorCore
