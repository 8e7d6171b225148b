#pragma once
#include <malloc.h>
#include <sys/xattr.h>

// glibc shows these only under _GNU_SOURCE, which Swift's importer does not set.
#define RENAME_NOREPLACE (1 << 0)
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags);
const char *strerrordesc_np(int code);
#define SYNC_FILE_RANGE_WRITE 2u
int sync_file_range(int descriptor, long long offset, long long count, unsigned int flags);
long copy_file_range(int source, long long *source_offset, int target, long long *target_offset, unsigned long count, unsigned int flags);
