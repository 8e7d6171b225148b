#pragma once

/// How many arguments the process was started with, the program's name first, and where they are.
///
/// Swift's `CommandLine` reads them from `/proc`, and finds none where that is not mounted.
int ckpt_argument_count(void);
char *const *ckpt_arguments(void);
