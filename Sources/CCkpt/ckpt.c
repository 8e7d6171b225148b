// The package manager wants a source file; what the header declares is defined in CheckpointC.
#include "ckpt.h"
