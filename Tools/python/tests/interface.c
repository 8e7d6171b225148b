// The C interface as a C program uses it: Tools/check-python compiles this with sanitizers, and runs it in an
// empty folder.
#include <ckpt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1); \
    } \
  } while (0)

enum { ROWS = 700, COLUMNS = 1000, STRIDE = 3 };

// Fails on an error; NULL is success.
static void succeed(ckpt_error *error) {
  if (error == NULL) return;
  fprintf(stderr, "unexpected error %d: %s\n", error->code, error->message);
  exit(1);
}

// The error must have this code and message.
static void fail(ckpt_error *error, int code, const char *message) {
  CHECK(error != NULL);
  if (error->code != code || strcmp(error->message, message) != 0) {
    fprintf(stderr, "expected %d: %s\nfound %d: %s\n", code, message, error->code, error->message);
    exit(1);
  }
  ckpt_error_free(error);
}

static const char *const FORCE[] = {"--force", NULL};

static uint8_t dtype(const char *name) {
  for (unsigned code = 0; ckpt_dtype_name((uint8_t)code) != NULL; code++) {
    if (strcmp(ckpt_dtype_name((uint8_t)code), name) == 0) return (uint8_t)code;
  }
  CHECK(!"an element type");
  return 0;
}

static void write_file(const char *path, const float *weights, const double *bias) {
  uint8_t dtypes[] = {dtype("F32"), dtype("F64"), dtype("F32")};
  const uint64_t name_ends[] = {6, 10, 14}, size_ends[] = {2, 3, 5};
  const int64_t sizes[] = {ROWS, COLUMNS, ROWS, ROWS, COLUMNS}, aliases[] = {-1, -1, 0};
  const uint64_t bytes[] = {4 * ROWS * COLUMNS, 8 * ROWS, 4 * ROWS * COLUMNS};
  ckpt_table table = {3, "weightbiastied", name_ends, dtypes, sizes, size_ends, bytes, aliases};
  const void *data[] = {weights, bias, weights};
  char *notes;
  succeed(ckpt_write(NULL, path, FORCE, &table, data, "{\"epoch\":3,\"lr\":{\"$real\":\"inf\"}}", &notes));
  CHECK(notes[0] == '[');
  ckpt_text_free(notes);
}

static void read_file(const char *path, const float *weights, const double *bias) {
  ckpt_file *file;
  succeed(ckpt_open(NULL, path, NULL, &file));
  const ckpt_table *table = ckpt_tensors(file);
  CHECK(table->count == 3 && memcmp(table->names, "weightbiastied", 14) == 0);
  CHECK(table->name_ends[0] == 6 && table->sizes[1] == COLUMNS && table->byte_counts[1] == 8 * ROWS);
  CHECK(table->aliases[0] == -1);
  CHECK(strcmp(ckpt_dtype_name(table->dtypes[1]), "F64") == 0);

  // A range, then everything in parts that do not end where elements or chunks do.
  float *row = malloc(sizeof(float) * COLUMNS);
  succeed(ckpt_read(file, 0, 4 * COLUMNS * 5, 4 * COLUMNS, row));
  CHECK(memcmp(row, weights + COLUMNS * 5, 4 * COLUMNS) == 0);
  free(row);
  size_t size = 4 * ROWS * COLUMNS;
  char *copy = malloc(size + 8 * ROWS);
  ckpt_part parts[STRIDE + 1];
  for (int index = 0; index < STRIDE; index++) {
    uint64_t start = size * index / STRIDE + (index > 0), end = size * (index + 1) / STRIDE + (index + 1 < STRIDE);
    parts[index] = (ckpt_part){0, start, end - start, copy + start};
  }
  parts[STRIDE] = (ckpt_part){1, 0, 8 * ROWS, copy + size};
  ckpt_call *call = ckpt_call_new();
  ckpt_call_set_threads(call, 3);
  succeed(ckpt_read_many(call, file, STRIDE + 1, parts));
  ckpt_call_free(call);
  CHECK(memcmp(copy, weights, size) == 0 && memcmp(copy + size, bias, 8 * ROWS) == 0);
  fail(ckpt_read(file, 1, 8 * ROWS - 4, 8, copy), CKPT_MISSING,
       "tensor 'bias': expected a range within its 5600 bytes, found 8 bytes at 5596");
  fail(ckpt_read(file, 1, UINT64_MAX, 8, copy), CKPT_MISSING,
       "tensor 'bias': expected a range within its 5600 bytes, found 8 bytes at 18446744073709551615");
  fail(ckpt_read(file, 3, 0, 0, copy), CKPT_MISSING, "tensor index 3 is out of range: the file has 3 tensors");
  succeed(ckpt_read_many(NULL, file, 0, NULL));
  free(copy);

  char *values;
  succeed(ckpt_values(file, &values));
  CHECK(strstr(values, "\"epoch\":3") != NULL && strstr(values, "{\"$real\":\"inf\"}") != NULL);
  ckpt_text_free(values);
  ckpt_file_free(file);
}

static void *work(void *context) {
  ckpt_file *file = context;
  float *copy = malloc(4 * ROWS * COLUMNS);
  ckpt_part part = {0, 0, 4 * ROWS * COLUMNS, copy};
  for (int round = 0; round < 5; round++) succeed(ckpt_read_many(NULL, file, 1, &part));
  free(copy);
  return NULL;
}

static void share_file(const char *path) {
  ckpt_file *file;
  succeed(ckpt_open(NULL, path, NULL, &file));
  pthread_t threads[4];
  for (int index = 0; index < 4; index++) CHECK(pthread_create(&threads[index], NULL, work, file) == 0);
  for (int index = 0; index < 4; index++) CHECK(pthread_join(threads[index], NULL) == 0);
  ckpt_file_free(file);
}

static void count(void *context, uint64_t done, uint64_t total) {
  uint64_t *sums = context;
  CHECK(done <= total && done >= sums[0]);
  sums[0] = done;
  sums[1] = total;
}

static void cancel(void *context, uint64_t done, uint64_t total) {
  (void)done;
  (void)total;
  ckpt_call_cancel(context);
}

static void follow(const char *path) {
  ckpt_call *call = ckpt_call_new();
  uint64_t sums[2] = {0, 0};
  ckpt_call_set_progress(call, count, sums);
  ckpt_file *file;
  succeed(ckpt_open(call, path, NULL, &file));
  float *copy = malloc(4 * ROWS * COLUMNS);
  ckpt_part part = {0, 0, 4 * ROWS * COLUMNS, copy};
  succeed(ckpt_read_many(call, file, 1, &part));
  CHECK(sums[0] == 4 * ROWS * COLUMNS && sums[1] == sums[0]);
  ckpt_call_set_progress(call, cancel, call);
  fail(ckpt_read_many(call, file, 1, &part), CKPT_CANCELLED, "cancelled");
  fail(ckpt_read_many(call, file, 1, &part), CKPT_CANCELLED, "cancelled");
  free(copy);
  ckpt_file_free(file);
  ckpt_report *report;
  fail(ckpt_convert(call, path, "never.h5", NULL, &report), CKPT_CANCELLED, "cancelled");
  CHECK(fopen("never.h5", "r") == NULL);
  ckpt_call_free(call);
}

static void operate(void) {
  ckpt_report *report;
  FILE *model = fopen("model.txt", "w");
  fputs("Sequential(\n  (0): Linear(in_features=4, out_features=3, bias=True)\n)\n", model);
  fclose(model);
  const char *const seed[] = {"--seed", "7", NULL};
  succeed(ckpt_init(NULL, "model.txt", "net.ckz", seed, &report));
  CHECK(report->status == 0 && strcmp(report->document, "") == 0);
  CHECK(strcmp(report->notes,
               "wrote net.ckz: 2 tensors, 60 bytes, seed 7, layers' default initialization\n") == 0);
  ckpt_report_free(report);

  ckpt_file *drawn, *file;
  succeed(ckpt_open_model(NULL, "model.txt", seed, &drawn));
  succeed(ckpt_open(NULL, "net.ckz", NULL, &file));
  float one[12], other[12];
  succeed(ckpt_read(drawn, 0, 0, sizeof one, one));
  succeed(ckpt_read(file, 0, 0, sizeof other, other));
  CHECK(memcmp(one, other, sizeof one) == 0);
  ckpt_file_free(drawn);
  ckpt_file_free(file);

  succeed(ckpt_verify(NULL, "net.ckz", NULL, &report));
  CHECK(report->status == 0 && strstr(report->document, "\"isVerified\" : true") != NULL);
  ckpt_report_free(report);
  succeed(ckpt_find_seed(NULL, "net.ckz", NULL, &report));
  CHECK(report->status == 0 && strstr(report->document, "\"seed\" : 7") != NULL);
  ckpt_report_free(report);
  const char *const linear[] = {"--match", "Linear", "--seed", "8", NULL};
  succeed(ckpt_reinit(NULL, "net.ckz", "again.ckz", linear, &report));
  CHECK(strstr(report->document, "\"replaced\"") != NULL);
  ckpt_report_free(report);
  succeed(ckpt_diff(NULL, "net.ckz", "again.ckz", NULL, &report));
  CHECK(report->status == 1 && strstr(report->document, "\"kind\" : \"changed\"") != NULL);
  ckpt_report_free(report);
  succeed(ckpt_convert(NULL, "net.ckz", "net.safetensors", NULL, &report));
  CHECK(strstr(report->document, "\"files\"") != NULL);
  ckpt_report_free(report);
  succeed(ckpt_hash(NULL, "net.safetensors", NULL, &report));
  CHECK(strstr(report->document, "\"fingerprint\"") != NULL);
  ckpt_report_free(report);
  const char *const list[] = {"ls", "net.safetensors", NULL};
  succeed(ckpt_run(NULL, list, &report));
  CHECK(strstr(report->document, "0.weight  F32  [3, 4]  48") != NULL);
  ckpt_report_free(report);
}

static void refuse(void) {
  ckpt_file *file;
  ckpt_report *report;
  ckpt_error *error = ckpt_open(NULL, "none.h5", NULL, &file);
  CHECK(error != NULL && error->code == CKPT_SYSTEM && error->system_number == 2 && error->offset == -1);
  CHECK(strcmp(error->path, "none.h5") == 0 && error->tensor == NULL);
  ckpt_error_free(error);
  const char *const unknown[] = {"--colour", NULL}, *const dash[] = {"ls", "-", NULL};
  fail(ckpt_open(NULL, "net.ckz", unknown, &file), CKPT_USAGE, "Unknown option '--colour'");
  fail(ckpt_run(NULL, dash, &report), CKPT_USAGE,
       "-: the process's own streams are not used here; give the path of a file");
  fail(ckpt_diff(NULL, "net.ckz", "none.h5", NULL, &report), CKPT_SYSTEM, "none.h5: No such file or directory");
  const char *const key[] = {"--key", "model", NULL};
  fail(ckpt_open(NULL, "net.ckz", key, &file), CKPT_MISSING, "net.ckz: holds only one checkpoint; remove --key");
  ckpt_error_free(NULL);
  ckpt_file_free(NULL);
  ckpt_report_free(NULL);
}

int main(void) {
  CHECK(ckpt_abi_version() == CKPT_ABI_VERSION);
  float *weights = malloc(4 * ROWS * COLUMNS);
  double *bias = malloc(8 * ROWS);
  for (int index = 0; index < ROWS * COLUMNS; index++) weights[index] = (float)index * 0.001f;
  for (int index = 0; index < ROWS; index++) bias[index] = index;
  const char *paths[] = {"a.ckz", "a.safetensors", "a.pt", "a.h5"};
  for (int index = 0; index < 4; index++) {
    write_file(paths[index], weights, bias);
    read_file(paths[index], weights, bias);
    share_file(paths[index]);
    follow(paths[index]);
  }
  operate();
  refuse();
  free(weights);
  free(bias);
  puts("C interface: ok");
  return 0;
}
