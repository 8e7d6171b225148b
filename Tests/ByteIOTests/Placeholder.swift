import Testing
import ByteIO
