/* The C interface of ckpt: checkpoint files of neural networks, read and written by any program.
 *
 * Rules that hold for every function:
 *
 *  - Errors are values. A function that can fail returns NULL, or an error that the caller releases
 *    with ckpt_error_free(). When it fails, it has set no result.
 *  - Ownership. What a function is given is only borrowed until it returns. What it hands out through
 *    a pointer to a pointer belongs to the caller, who releases it with the function named at its
 *    type. What it returns directly as a const pointer belongs to the object that it was asked of.
 *  - Texts are UTF-8 and end with a zero byte, except for the names of a ckpt_table. Lists of texts
 *    end with NULL; a list that is NULL is empty. Paths are the system's bytes.
 *  - Threads. Any function may be called from any thread at any time. A ckpt_file never changes. The
 *    work of a call is done on threads of its own, which end with it; the calling thread waits.
 *    Nothing lasts but the objects below, so that a process that was forked may call everything,
 *    provided that no call was in progress when it was forked, and that no file of a web server was
 *    read both before and after.
 *  - Nothing is printed, no signal is handled, and the process is never ended, by any function but
 *    ckpt_main().
 *  - Options are those of the command `ckpt`, spelled as there: {"--rtol", "1e-5", NULL}. An option that the
 *    command does not have is an error of the code CKPT_USAGE. "-" stands for no file here.
 */
#ifndef CKPT_H
#define CKPT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define CKPT_NULLABLE _Nullable
#define CKPT_NONNULL _Nonnull
#else
#define CKPT_NULLABLE
#define CKPT_NONNULL
#endif

/* What a function that can fail returns: NULL, or an error. */
#define CKPT_RESULT ckpt_error *CKPT_NULLABLE
/* Options: NULL, or texts up to NULL. */
#define CKPT_OPTIONS const char *CKPT_NULLABLE const *CKPT_NULLABLE
/* Where a result goes. */
#define CKPT_OUT(type) type *CKPT_NULLABLE *CKPT_NONNULL

/* Version of this interface. Within a version, functions, codes, and members of structs are only added,
 * members at the end of structs that the library makes. */
#define CKPT_ABI_VERSION 1

/* The version that the library was built with; refuse to go on if it is not CKPT_ABI_VERSION. */
uint32_t ckpt_abi_version(void);

/* ---- Errors ---- */

enum {
  CKPT_SYSTEM = 1,      /* the system refused: no such file, no permission, disk full */
  CKPT_MALFORMED = 2,   /* the bytes contradict their format */
  CKPT_UNSUPPORTED = 3, /* well-formed, but of a kind that is not handled */
  CKPT_MISMATCHED = 4,  /* two things that must agree do not */
  CKPT_MISSING = 5,     /* something that was named is not there */
  CKPT_USAGE = 6,       /* an argument or an option is wrong */
  CKPT_CANCELLED = 7    /* ckpt_call_cancel() was called */
};

/* An error. Released with ckpt_error_free(). */
typedef struct ckpt_error {
  int32_t code;
  int32_t system_number;               /* the value of errno, 0 if the system said nothing */
  int64_t offset;                      /* the byte in the file, -1 if not known */
  const char *message;                 /* the one line that the command prints */
  const char *reason;                  /* the same without the places */
  const char *CKPT_NULLABLE path;      /* the file, NULL if not known */
  const char *CKPT_NULLABLE tensor;    /* the tensor, NULL if not known */
} ckpt_error;

void ckpt_error_free(ckpt_error *CKPT_NULLABLE error);

/* ---- Calls ---- */

/* How an operation is run. NULL stands for one with all processors and no progress. Released with
 * ckpt_call_free(), which no operation may be using. */
typedef struct ckpt_call ckpt_call;

/* Is told how many of `total` bytes (or seeds) are done; called from any thread, one call at a time, and
 * never after the operation has returned. */
typedef void (*ckpt_progress)(void *CKPT_NULLABLE context, uint64_t done, uint64_t total);

ckpt_call *ckpt_call_new(void);
void ckpt_call_free(ckpt_call *CKPT_NULLABLE call);

/* Number of worker threads, from 1 to 1024; results do not depend on it. */
void ckpt_call_set_threads(ckpt_call *call, uint32_t threads);
void ckpt_call_set_progress(
    ckpt_call *call, ckpt_progress CKPT_NULLABLE progress, void *CKPT_NULLABLE context);

/* Ends the operations that run with this call, and all that will, with CKPT_CANCELLED; from any thread.
 * An output that is being written is left as it was. */
void ckpt_call_cancel(ckpt_call *call);

/* ---- Reading ---- */

/* An opened checkpoint. Released with ckpt_file_free(). */
typedef struct ckpt_file ckpt_file;

/* The tensors of a checkpoint, in its order, as arrays. Tensor i has the bytes of names from
 * name_ends[i - 1] (0 for the first) to name_ends[i], the sizes from size_ends[i - 1] to size_ends[i],
 * outermost first, and byte_counts[i] bytes of row-major, little-endian elements. */
typedef struct ckpt_table {
  uint64_t count;
  const char *names;              /* UTF-8, one after another, without zero bytes between them */
  const uint64_t *name_ends;
  const uint8_t *dtypes;          /* see ckpt_dtype_name() */
  const int64_t *sizes;
  const uint64_t *size_ends;
  const uint64_t *byte_counts;    /* of a table to be written, they are compared with the shapes */
  const int64_t *aliases;         /* the earlier tensor to which one is tied, else -1 */
} ckpt_table;

/* The name that safetensors gives to an element type, "F32"; NULL for a number that no type has. Numbers
 * begin at 0 and keep their meaning. */
const char *CKPT_NULLABLE ckpt_dtype_name(uint8_t dtype);

/* Opens a checkpoint of any format, by content: a file, a folder, or the URL of one.
 *
 * Options: --key, --all, --match, --exclude, --model, --rename, --map, --dtype, --raw, --allow-large, as of `ckpt
 * convert`. With none of them, tensors are as the file has them. Only the file's index is read. */
CKPT_RESULT ckpt_open(
    ckpt_call *CKPT_NULLABLE call, const char *path,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_file) file);

/* Describes what `ckpt init` would write; values are drawn when they are read.
 *
 * `model` is a file; options are those of `ckpt init`, besides --output. */
CKPT_RESULT ckpt_open_model(
    ckpt_call *CKPT_NULLABLE call, const char *model,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_file) file);

void ckpt_file_free(ckpt_file *CKPT_NULLABLE file);

/* The tensors; the table belongs to the file. */
const ckpt_table *ckpt_tensors(const ckpt_file *file);

/* The name of the file's format, "safetensors"; it belongs to the file. */
const char *ckpt_format(const ckpt_file *file);

/* Everything that is not a tensor, as a JSON object in the exact form of the article Values: what JSON
 * lacks is an object of one key that begins with $. Also the notes about the file, as a JSON array of
 * texts. Both are released with ckpt_text_free(). */
CKPT_RESULT ckpt_values(const ckpt_file *file, CKPT_OUT(char) json);
CKPT_RESULT ckpt_notes(const ckpt_file *file, CKPT_OUT(char) json);
void ckpt_text_free(char *CKPT_NULLABLE text);

/* Reads `size` bytes of a tensor, from `offset` on, on the calling thread. */
CKPT_RESULT ckpt_read(
    const ckpt_file *file, uint64_t tensor, uint64_t offset, uint64_t size, void *target);

/* Bytes of a tensor, and the memory that they are read into. */
typedef struct ckpt_part {
  uint64_t tensor;
  uint64_t offset;
  uint64_t size;
  void *target;
} ckpt_part;

/* Reads many parts in parallel. Targets must not overlap. After an error, the
 * content of the targets is undefined. */
CKPT_RESULT ckpt_read_many(
    ckpt_call *CKPT_NULLABLE call, const ckpt_file *file, uint64_t count,
    const ckpt_part *CKPT_NULLABLE parts);

/* ---- Writing ---- */

/* Writes tensors from memory; data[i] are the bytes of tensor i. The target is replaced atomically.
 *
 * `values` is NULL or a JSON object as ckpt_values() gives it. Options: --to, --compression, --parity, --force, and
 * --nest, which nests tensors by their dotted names where the format can. `notes`, unless it is NULL, gets
 * what the format cannot hold, as a JSON array of texts, released with ckpt_text_free(). */
CKPT_RESULT ckpt_write(
    ckpt_call *CKPT_NULLABLE call, const char *path,
    CKPT_OPTIONS options, const ckpt_table *tensors,
    const void *CKPT_NULLABLE const *CKPT_NULLABLE data, const char *CKPT_NULLABLE values,
    char *CKPT_NULLABLE *CKPT_NULLABLE notes);

/* ---- Operations ---- */

/* What an operation has found. Released with ckpt_report_free(). */
typedef struct ckpt_report {
  int32_t status;        /* 0; 1 for a negative answer: they differ, not verified, no seed found; 2 if some
                            of several files, or tensors, could not be read: the notes tell */
  const char *document;  /* what the command prints on standard output; with --json, one JSON document */
  const char *notes;     /* what it prints on standard error: notes, and what was written */
} ckpt_report;

void ckpt_report_free(ckpt_report *CKPT_NULLABLE report);

/* Runs the command `ckpt` with these arguments, {"ls", "--json", "net.h5", NULL}. */
CKPT_RESULT ckpt_run(
    ckpt_call *CKPT_NULLABLE call, const char *CKPT_NULLABLE const *CKPT_NONNULL arguments,
    CKPT_OUT(ckpt_report) report);

/* The commands of these names; the document is JSON. An output that is NULL is left out, for options such
 * as --in-place and --dry-run. */
CKPT_RESULT ckpt_init(
    ckpt_call *CKPT_NULLABLE call, const char *model, const char *output,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_report) report);
CKPT_RESULT ckpt_reinit(
    ckpt_call *CKPT_NULLABLE call, const char *path, const char *CKPT_NULLABLE output,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_report) report);
CKPT_RESULT ckpt_diff(
    ckpt_call *CKPT_NULLABLE call, const char *first, const char *second,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_report) report);
CKPT_RESULT ckpt_verify(
    ckpt_call *CKPT_NULLABLE call, const char *path,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_report) report);
CKPT_RESULT ckpt_find_seed(
    ckpt_call *CKPT_NULLABLE call, const char *path,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_report) report);
CKPT_RESULT ckpt_hash(
    ckpt_call *CKPT_NULLABLE call, const char *path,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_report) report);
CKPT_RESULT ckpt_convert(
    ckpt_call *CKPT_NULLABLE call, const char *path, const char *output,
    CKPT_OPTIONS options, CKPT_OUT(ckpt_report) report);

/* The command as a program: handles signals, prints, and ends the process. */
void ckpt_main(int argc, const char *CKPT_NULLABLE const *CKPT_NONNULL argv) __attribute__((noreturn));

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif

#endif
