#pragma once
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

// Handles of MPI are pointers in one library and integers in another: only C integers and bytes cross.

// glibc shows this only under _GNU_SOURCE, which Swift's importer does not set.
int sched_getaffinity(int process, unsigned long size, cpu_set_t *cores);

// Waits for a request asleep: a blocking call would spin on a core that a worker needs.
static inline int cmpi_wait(MPI_Request request) {
  int done = 0;
  for (long pause = 0;;) {
    int failure = MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (failure || done) return failure;
    nanosleep(&(struct timespec){0, pause}, NULL);
    if (pause < 500000) pause = pause ? 2 * pause : 10000;
  }
}

// Starts MPI for calls of any thread, one at a time; 0 if the library does not allow that.
// A rank whose launcher is killed gets SIGTERM.
static inline int cmpi_start(void) {
  int level = 0;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level)) return 0;
  return level >= MPI_THREAD_SERIALIZED;
}

static inline int cmpi_size(void) {
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

static inline int cmpi_rank(void) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static inline void cmpi_finish(void) { MPI_Finalize(); }
static inline void cmpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

// Gives every rank the `count` bytes of each.
static inline int cmpi_gather(const void *own, int count, void *all) {
  MPI_Request request;
  int failure = MPI_Iallgather(own, count, MPI_BYTE, all, count, MPI_BYTE, MPI_COMM_WORLD, &request);
  return failure ? failure : cmpi_wait(request);
}

// Gives every rank the bytes of each, of which there may be different numbers.
static inline int cmpi_gather_varied(
    const void *own, int count, void *all, const int *counts, const int *offsets) {
  MPI_Request request;
  int failure = MPI_Iallgatherv(
      own, count, MPI_BYTE, all, counts, offsets, MPI_BYTE, MPI_COMM_WORLD, &request);
  return failure ? failure : cmpi_wait(request);
}

// This rank's share of the machine's processors: each counts for all ranks that may run on it.
static inline int cmpi_threads(void) {
  enum { bytes = sizeof(cpu_set_t) };
  MPI_Comm node;
  int rank = 0, size = 1;
  if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node)) return 1;
  MPI_Comm_rank(node, &rank);
  MPI_Comm_size(node, &size);
  unsigned char own[bytes];
  memset(own, 0, bytes);
  sched_getaffinity(0, bytes, (cpu_set_t *)own);
  unsigned char *all = (unsigned char *)calloc(size, bytes);
  double before = 0, with = 0;
  if (all && !MPI_Allgather(own, bytes, MPI_BYTE, all, bytes, MPI_BYTE, node)) {
    for (int bit = 0; bit < 8 * bytes; bit++) {
      int users = 0, earlier = 0;
      for (int other = 0; other < size; other++) {
        int may = all[other * bytes + bit / 8] >> bit % 8 & 1;
        users += may;
        if (other < rank) earlier += may;
      }
      if (!users) continue;
      before += (double)earlier / users;
      with += (double)(earlier + (own[bit / 8] >> bit % 8 & 1)) / users;
    }
  }
  free(all);
  MPI_Comm_free(&node);
  int threads = (int)(with + 1e-6) - (int)(before + 1e-6);
  return threads > 1 ? threads : 1;
}
