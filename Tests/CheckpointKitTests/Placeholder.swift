import Testing
import CheckpointKit
