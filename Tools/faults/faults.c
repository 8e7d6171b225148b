// A library to preload: it fails, cuts, or kills at the n-th call that touches files below a folder, and records what
// was written for the simulation of power cuts. See run, which builds it.
//
//   FAULT_ROOT=FOLDER    what counts: files below it, and what was opened there; always needed
//   FAULT=N:WHAT[:always]  N from 1; WHAT an error's number, or short, half, kill; always: this call and all later ones
//   FAULT_CLASS=memory   counts allocations and threads instead of calls on files
//   FAULT_TRACE=FILE     one line per counted call: number, function, file, and * where it was made to fail
//   FAULT_RECORD=FILE    every change, with its bytes, in order
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NONE, ERROR, SHORT, HALF, KILL };

static const char *root;
static size_t root_length;
static int trace = -1, record = -1, is_ready, counts_memory, is_sticky, what, error_number;
static long target, counted;
static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER;

// The functions of the C library, looked up before anything else runs.
#define FUNCTIONS(F) \
  F(int, open, (const char *, int, ...)) F(int, openat, (int, const char *, int, ...)) \
  F(ssize_t, read, (int, void *, size_t)) F(ssize_t, pread, (int, void *, size_t, off_t)) \
  F(ssize_t, write, (int, const void *, size_t)) F(ssize_t, pwrite, (int, const void *, size_t, off_t)) \
  F(ssize_t, copy_file_range, (int, off64_t *, int, off64_t *, size_t, unsigned)) \
  F(int, sync_file_range, (int, off64_t, off64_t, unsigned)) \
  F(int, fsync, (int)) F(int, fdatasync, (int)) F(int, ftruncate, (int, off_t)) F(int, close, (int)) \
  F(int, fstat, (int, struct stat *)) F(int, stat, (const char *, struct stat *)) \
  F(int, lstat, (const char *, struct stat *)) F(int, access, (const char *, int)) \
  F(int, link, (const char *, const char *)) F(int, linkat, (int, const char *, int, const char *, int)) \
  F(int, rename, (const char *, const char *)) \
  F(int, renameat2, (int, const char *, int, const char *, unsigned)) \
  F(int, unlink, (const char *)) F(int, mkdir, (const char *, mode_t)) F(int, rmdir, (const char *)) \
  F(int, fchmod, (int, mode_t)) F(int, fchown, (int, uid_t, gid_t)) F(int, flock, (int, int)) \
  F(int, fsetxattr, (int, const char *, const void *, size_t, int)) \
  F(ssize_t, listxattr, (const char *, char *, size_t)) F(ssize_t, readlink, (const char *, char *, size_t)) \
  F(char *, realpath, (const char *, char *)) F(off_t, lseek, (int, off_t, int)) \
  F(DIR *, opendir, (const char *)) F(struct dirent *, readdir, (DIR *)) \
  F(int, posix_memalign, (void **, size_t, size_t)) \
  F(void *, mmap, (void *, size_t, int, int, int, off_t)) \
  F(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))

#define DECLARE(type, name, parameters) static type(*real_##name) parameters;
FUNCTIONS(DECLARE)

static void look_up(void) {
#define LOOK_UP(type, name, parameters) real_##name = (type(*) parameters)dlsym(RTLD_NEXT, #name);
  FUNCTIONS(LOOK_UP)
}

// Other libraries call before this one is set up.
#define REAL(name) (real_##name ? real_##name : (look_up(), real_##name))

static int append_file(const char *name) {
  const char *path = getenv(name);
  if (!path) return -1;
  int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int high = syscall(SYS_fcntl, file, F_DUPFD_CLOEXEC, 900);
  syscall(SYS_close, file);
  return high;
}

__attribute__((constructor)) static void set_up(void) {
  look_up();
  if (!(root = getenv("FAULT_ROOT"))) return;
  root_length = strlen(root);
  const char *class = getenv("FAULT_CLASS");
  counts_memory = class && !strcmp(class, "memory");
  trace = append_file("FAULT_TRACE");
  record = append_file("FAULT_RECORD");
  const char *fault = getenv("FAULT");
  if (fault) {
    char *rest;
    target = strtol(fault, &rest, 10);
    is_sticky = strstr(rest, ":always") != NULL;
    rest += *rest == ':';
    if (!strncmp(rest, "short", 5)) what = SHORT;
    else if (!strncmp(rest, "half", 4)) what = HALF;
    else if (!strncmp(rest, "kill", 4)) what = KILL;
    else what = ERROR, error_number = atoi(rest);
  }
  unsetenv("LD_PRELOAD");
  is_ready = 1;
}

static int is_below(const char *path) {
  return !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length] || path[root_length] == ' ');
}

/// Writes the path of an open file below the root to `path`; 0 for any other.
static int path_of(int file, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t count = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (count < 0) return 0;
  path[count] = 0;
  return is_below(path);
}

/// The absolute path, where it is below the root or leads to an open file there.
static int absolute(const char *given, char path[PATH_MAX]) {
  int file;
  if (sscanf(given, "/proc/self/fd/%d", &file) == 1) return path_of(file, path);
  if (given[0] == '/') {
    snprintf(path, PATH_MAX, "%s", given);
  } else {
    if (syscall(SYS_getcwd, path, PATH_MAX) < 0) return 0;
    size_t length = strlen(path);
    snprintf(path + length, PATH_MAX - length, "/%s", given);
  }
  return is_below(path);
}

/// Counts a call and says what is to happen to it.
static int fate(const char *function, const char *path, int can_be_short) {
  long number = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
  int is_hit = target && (number == target || (is_sticky && number > target));
  if (is_hit && (what == SHORT || what == HALF) && !can_be_short) is_hit = what == HALF ? KILL : 0;
  if (trace >= 0) {
    char line[PATH_MAX + 64];
    int count = snprintf(line, sizeof line, "%ld %s %s%s\n", number, function, path, is_hit ? " *" : "");
    syscall(SYS_write, trace, line, count);
  }
  if (!is_hit) return NONE;
  if (what == KILL || is_hit == KILL) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  if (what == ERROR) errno = error_number;
  return what;
}

static int is_watched(void) { return is_ready && !counts_memory; }

static int fate_of_file(const char *function, int file, int can_be_short) {
  char path[PATH_MAX];
  if (!is_watched() || file < 0 || file >= 900) return NONE;
  // Standard streams count where they are files of the scene or pipes.
  if (!path_of(file, path)) {
    if (file > 1 || strncmp(path, "pipe:", 5)) return NONE;
  }
  return fate(function, path, can_be_short);
}

static int fate_of_path(const char *function, const char *given) {
  char path[PATH_MAX];
  if (!is_watched() || !absolute(given, path)) return NONE;
  return fate(function, path, 0);
}

static unsigned long inode(int file) {
  struct stat status;
  return REAL(fstat)(file, &status) ? 0 : status.st_ino;
}

static void note(const char *format, ...) {
  char line[2 * PATH_MAX + 64];
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  syscall(SYS_write, record, line, count);
}

/// Whether changes of this file are recorded; the caller then holds the lock until `done`.
static int begins(int file) {
  char path[PATH_MAX];
  if (record < 0 || !is_watched() || !path_of(file, path)) return 0;
  pthread_mutex_lock(&recording);
  return 1;
}

static int begins_path(const char *given, char path[PATH_MAX]) {
  if (record < 0 || !is_watched() || !absolute(given, path)) return 0;
  pthread_mutex_lock(&recording);
  return 1;
}

static void done(void) { pthread_mutex_unlock(&recording); }

static void note_bytes(int file, const void *bytes, ssize_t count, long offset) {
  if (count <= 0) return;
  note("write %lu %ld %zd\n", inode(file), offset, count);
  syscall(SYS_write, record, bytes, count);
}

#define KEEPING_ERROR(action) do { int kept = errno; action; errno = kept; } while (0)

// MARK: - Bytes

#define TRANSFER(name, parameters, file, size, call, whole) \
  ssize_t name parameters { \
    int fate = fate_of_file(#name, file, size > 1); \
    if (fate == ERROR) return -1; \
    if (fate == SHORT || fate == HALF) { \
      ssize_t count = call(size / 2); \
      if (fate == HALF) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL); \
      return count; \
    } \
    whole; \
  }

#define READ(n) REAL(read)(f, b, n)
TRANSFER(read, (int f, void *b, size_t s), f, s, READ, return READ(s))
#define PREAD(n) REAL(pread)(f, b, n, o)
TRANSFER(pread, (int f, void *b, size_t s, off_t o), f, s, PREAD, return PREAD(s))

static ssize_t recorded_write(int f, const void *b, size_t s) {
  if (!begins(f)) return REAL(write)(f, b, s);
  long offset = REAL(lseek)(f, 0, SEEK_CUR);
  ssize_t count = REAL(write)(f, b, s);
  KEEPING_ERROR(note_bytes(f, b, count, offset));
  done();
  return count;
}

static ssize_t recorded_pwrite(int f, const void *b, size_t s, off_t o) {
  if (!begins(f)) return REAL(pwrite)(f, b, s, o);
  ssize_t count = REAL(pwrite)(f, b, s, o);
  KEEPING_ERROR(note_bytes(f, b, count, o));
  done();
  return count;
}

static ssize_t recorded_copy(int f, off64_t *p, int g, off64_t *q, size_t s, unsigned flags) {
  if (!begins(g)) return REAL(copy_file_range)(f, p, g, q, s, flags);
  long offset = q ? *q : REAL(lseek)(g, 0, SEEK_CUR);
  ssize_t count = REAL(copy_file_range)(f, p, g, q, s, flags);
  int kept = errno;
  for (ssize_t at = 0; at < count;) {
    char bytes[1 << 16];
    ssize_t got = REAL(pread)(g, bytes, count - at < (ssize_t)sizeof bytes ? count - at : (ssize_t)sizeof bytes, offset + at);
    if (got <= 0) abort();
    note_bytes(g, bytes, got, offset + at);
    at += got;
  }
  errno = kept;
  done();
  return count;
}

#define WRITE(n) recorded_write(f, b, n)
TRANSFER(write, (int f, const void *b, size_t s), f, s, WRITE, return WRITE(s))
#define PWRITE(n) recorded_pwrite(f, b, n, o)
TRANSFER(pwrite, (int f, const void *b, size_t s, off_t o), f, s, PWRITE, return PWRITE(s))
#define COPY(n) recorded_copy(f, p, g, q, n, flags)
TRANSFER(copy_file_range, (int f, off64_t *p, int g, off64_t *q, size_t s, unsigned flags), g, s, COPY, return COPY(s))

// MARK: - Open files

int sync_file_range(int f, off64_t o, off64_t n, unsigned flags) {
  return fate_of_file("sync_file_range", f, 0) == ERROR ? -1 : REAL(sync_file_range)(f, o, n, flags);
}

static void note_sync(int f) {
  struct stat status;
  char path[PATH_MAX];
  if (REAL(fstat)(f, &status) == 0 && S_ISDIR(status.st_mode) && path_of(f, path)) note("names %s\n", path);
  else note("sync %lu\n", inode(f));
}

#define SYNC(name) \
  int name(int f) { \
    if (fate_of_file(#name, f, 0) == ERROR) return -1; \
    if (!begins(f)) return REAL(name)(f); \
    int answer = REAL(name)(f); \
    if (answer == 0) note_sync(f); \
    done(); \
    return answer; \
  }
SYNC(fsync)
SYNC(fdatasync)

int ftruncate(int f, off_t size) {
  if (fate_of_file("ftruncate", f, 0) == ERROR) return -1;
  if (!begins(f)) return REAL(ftruncate)(f, size);
  int answer = REAL(ftruncate)(f, size);
  if (answer == 0) note("size %lu %ld\n", inode(f), (long)size);
  done();
  return answer;
}

int close(int f) {
  int fate = fate_of_file("close", f, 0);
  int answer = REAL(close)(f);
  if (fate != ERROR) return answer;
  errno = error_number;
  return -1;
}

int fstat(int f, struct stat *status) {
  return fate_of_file("fstat", f, 0) == ERROR ? -1 : REAL(fstat)(f, status);
}
int fchmod(int f, mode_t mode) { return fate_of_file("fchmod", f, 0) == ERROR ? -1 : REAL(fchmod)(f, mode); }
int fchown(int f, uid_t user, gid_t group) {
  return fate_of_file("fchown", f, 0) == ERROR ? -1 : REAL(fchown)(f, user, group);
}
int flock(int f, int how) { return fate_of_file("flock", f, 0) == ERROR ? -1 : REAL(flock)(f, how); }
int fsetxattr(int f, const char *name, const void *value, size_t size, int flags) {
  return fate_of_file("fsetxattr", f, 0) == ERROR ? -1 : REAL(fsetxattr)(f, name, value, size, flags);
}
off_t lseek(int f, off_t offset, int whence) {
  return fate_of_file("lseek", f, 0) == ERROR ? -1 : REAL(lseek)(f, offset, whence);
}

// MARK: - Names

static int note_opened(int f, const char *given, int flags, int existed) {
  if (f < 0 || record < 0 || !is_watched()) return f;
  char path[PATH_MAX];
  if (!absolute(given, path)) return f;
  if ((flags & O_TMPFILE) == O_TMPFILE) note("new %lu\n", inode(f));
  else if (flags & O_CREAT && !existed) note("name %lu %s\n", inode(f), path);
  else if (flags & O_TRUNC) note("size %lu 0\n", inode(f));
  return f;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = va_arg(arguments, int);
  va_end(arguments);
  if (fate_of_path("open", path) == ERROR) return -1;
  int existed = record >= 0 && REAL(access)(path, F_OK) == 0;
  return note_opened(REAL(open)(path, flags, mode), path, flags, existed);
}

int openat(int folder, const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = va_arg(arguments, int);
  va_end(arguments);
  return fate_of_path("openat", path) == ERROR ? -1 : REAL(openat)(folder, path, flags, mode);
}

#define PATH(type, name, parameters, path, arguments, failure) \
  type name parameters { return fate_of_path(#name, path) == ERROR ? failure : REAL(name) arguments; }
PATH(int, stat, (const char *p, struct stat *s), p, (p, s), -1)
PATH(int, lstat, (const char *p, struct stat *s), p, (p, s), -1)
PATH(int, access, (const char *p, int mode), p, (p, mode), -1)
PATH(ssize_t, listxattr, (const char *p, char *list, size_t size), p, (p, list, size), -1)
PATH(ssize_t, readlink, (const char *p, char *text, size_t size), p, (p, text, size), -1)
PATH(char *, realpath, (const char *p, char *text), p, (p, text), NULL)
PATH(DIR *, opendir, (const char *p), p, (p), NULL)

struct dirent *readdir(DIR *folder) {
  return fate_of_file("readdir", dirfd(folder), 0) == ERROR ? NULL : REAL(readdir)(folder);
}

static int noted(int answer, const char *format, const char *path, const char *other) {
  if (answer == 0) note(format, path, other);
  done();
  return answer;
}

static int recorded_link(int x, const char *a, int y, const char *b, int flags) {
  char path[PATH_MAX];
  if (!begins_path(b, path)) return REAL(linkat)(x, a, y, b, flags);
  int answer = REAL(linkat)(x, a, y, b, flags);
  struct stat status;
  if (answer == 0 && REAL(lstat)(path, &status) == 0) note("name %lu %s\n", status.st_ino, path);
  done();
  return answer;
}

int linkat(int x, const char *a, int y, const char *b, int flags) {
  return fate_of_path("linkat", b) == ERROR ? -1 : recorded_link(x, a, y, b, flags);
}
int link(const char *a, const char *b) {
  return fate_of_path("link", b) == ERROR ? -1 : recorded_link(AT_FDCWD, a, AT_FDCWD, b, 0);
}

static int recorded_rename(int x, const char *a, int y, const char *b, unsigned flags) {
  char from[PATH_MAX], to[PATH_MAX];
  if (!absolute(a, from) || !begins_path(b, to)) return REAL(renameat2)(x, a, y, b, flags);
  return noted(REAL(renameat2)(x, a, y, b, flags), "rename %s\t%s\n", from, to);
}

int rename(const char *a, const char *b) {
  return fate_of_path("rename", b) == ERROR ? -1 : recorded_rename(AT_FDCWD, a, AT_FDCWD, b, 0);
}
int renameat2(int x, const char *a, int y, const char *b, unsigned flags) {
  return fate_of_path("renameat2", b) == ERROR ? -1 : recorded_rename(x, a, y, b, flags);
}
int unlink(const char *path) {
  char whole[PATH_MAX];
  if (fate_of_path("unlink", path) == ERROR) return -1;
  if (!begins_path(path, whole)) return REAL(unlink)(path);
  return noted(REAL(unlink)(path), "unlink %s\n", whole, "");
}
int rmdir(const char *path) {
  char whole[PATH_MAX];
  if (fate_of_path("rmdir", path) == ERROR) return -1;
  if (!begins_path(path, whole)) return REAL(rmdir)(path);
  return noted(REAL(rmdir)(path), "rmdir %s\n", whole, "");
}
int mkdir(const char *path, mode_t mode) {
  char whole[PATH_MAX];
  if (fate_of_path("mkdir", path) == ERROR) return -1;
  if (!begins_path(path, whole)) return REAL(mkdir)(path, mode);
  return noted(REAL(mkdir)(path, mode), "mkdir %s\n", whole, "");
}

// MARK: - Memory and threads

static int fails_memory(const char *function) {
  if (!is_ready || !counts_memory) return 0;
  return fate(function, "-", 0) == ERROR;
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

void *malloc(size_t size) { return fails_memory("malloc") ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails_memory("calloc") ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails_memory("realloc") ? NULL : __libc_realloc(old, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
  return fails_memory("posix_memalign") ? ENOMEM : REAL(posix_memalign)(memory, alignment, size);
}
void *mmap(void *place, size_t size, int access, int flags, int file, off_t offset) {
  if (!real_mmap) return (void *)syscall(SYS_mmap, place, size, access, flags, file, offset);
  return fails_memory("mmap") ? MAP_FAILED : REAL(mmap)(place, size, access, flags, file, offset);
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
  return fails_memory("pthread_create") ? EAGAIN : REAL(pthread_create)(thread, attributes, body, argument);
}
