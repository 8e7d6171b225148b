// The functions of libhdf5, and the variables with its predefined ids, by the names that hdf5.h
// declares; the header itself would give them other types here.
#include "CLoaded.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#define FUNCTIONS(X) \
  X(H5Aclose) X(H5Acreate2) X(H5Adelete) X(H5Aexists) X(H5Awrite) X(H5Dclose) X(H5Dcreate2) \
  X(H5Dget_offset) X(H5Dget_space) X(H5Dget_type) X(H5Dread) X(H5Dwrite) X(H5Dwrite_chunk) \
  X(H5Eset_auto2) X(H5Ewalk2) X(H5FDregister) X(H5Fclose) X(H5Fcreate) X(H5Fflush) X(H5Fopen) \
  X(H5Gclose) X(H5Gcreate2) X(H5Gopen2) X(H5Lcreate_hard) X(H5Oclose) X(H5Oget_info2) \
  X(H5Oopen_by_addr) X(H5PLset_loading_state) X(H5Pclose) X(H5Pcreate) X(H5Pget_driver_info) \
  X(H5Pset_alloc_time) X(H5Pset_attr_creation_order) X(H5Pset_cache) X(H5Pset_chunk) \
  X(H5Pset_deflate) X(H5Pset_driver) X(H5Pset_dset_no_attrs_hint) X(H5Pset_est_link_info) \
  X(H5Pset_fclose_degree) X(H5Pset_fill_time) X(H5Pset_libver_bounds) \
  X(H5Pset_link_creation_order) X(H5Pset_obj_track_times) X(H5Pset_shuffle) \
  X(H5Pset_sieve_buf_size) X(H5Pset_type_conv_cb) X(H5Sclose) X(H5Screate) X(H5Screate_simple) \
  X(H5Sget_simple_extent_dims) X(H5Sget_simple_extent_ndims) X(H5Sget_simple_extent_type) \
  X(H5Sselect_hyperslab) X(H5Tclose) X(H5Tcopy) X(H5Tcreate) X(H5Tenum_create) X(H5Tenum_insert) \
  X(H5Tget_class) X(H5Tget_size) X(H5Tinsert) X(H5Tset_cset) X(H5Tset_ebias) X(H5Tset_fields) \
  X(H5Tset_size) X(H5Zfilter_avail) X(H5Zget_filter_info) X(H5dont_atexit) X(H5get_libversion) \
  X(H5open)

// What only the tests call.
#define TESTED_FUNCTIONS(X) \
  X(H5Aget_name) X(H5Aget_num_attrs) X(H5Aget_space) X(H5Aget_type) X(H5Aiterate2) X(H5Aopen) \
  X(H5Aopen_idx) X(H5Aread) X(H5Dget_create_plist) X(H5Dvlen_reclaim) X(H5Gget_create_plist) \
  X(H5Literate) X(H5Oopen) X(H5Pencode) X(H5Pget_chunk) X(H5Pget_external_count) \
  X(H5Pget_filter2) X(H5Pget_layout) X(H5Pget_link_creation_order) X(H5Pget_nfilters) \
  X(H5Pset_elink_cb) X(H5Sencode) X(H5Sget_simple_extent_npoints) X(H5Tencode) \
  X(H5Tenum_valueof) X(H5Tget_ebias) X(H5Tget_fields) X(H5Tget_member_index) \
  X(H5Tget_member_offset) X(H5Tget_member_type) X(H5Tget_nmembers) X(H5Tget_norm) \
  X(H5Tget_offset) X(H5Tget_order) X(H5Tget_precision) X(H5Tget_sign) X(H5Tget_strpad) \
  X(H5Tget_super) X(H5Tis_variable_str)

#define IDS(X) \
  X(H5P_CLS_DATASET_CREATE_ID_g) X(H5P_CLS_DATASET_XFER_ID_g) X(H5P_CLS_FILE_ACCESS_ID_g) \
  X(H5P_CLS_FILE_CREATE_ID_g) X(H5P_CLS_GROUP_CREATE_ID_g) X(H5P_CLS_LINK_ACCESS_ID_g) \
  X(H5T_C_S1_g) X(H5T_IEEE_F32LE_g) X(H5T_IEEE_F64LE_g) X(H5T_STD_I16LE_g) X(H5T_STD_I32LE_g) \
  X(H5T_STD_I64LE_g) X(H5T_STD_I8LE_g) X(H5T_STD_U16LE_g) X(H5T_STD_U32LE_g) X(H5T_STD_U64LE_g) \
  X(H5T_STD_U8LE_g)

FUNCTIONS(CKPT_PASS)
TESTED_FUNCTIONS(CKPT_PASS)

#define DEFINE(name) __attribute__((visibility("hidden"))) int64_t name = -1;
IDS(DEFINE)

static const ckpt_loaded functions[] = {FUNCTIONS(CKPT_ENTRY) TESTED_FUNCTIONS(CKPT_ENTRY)};

#define COPIED(name) { #name, &name },
static const struct {
  const char *name;
  int64_t *copy;
} ids[] = {IDS(COPIED)};

int H5dont_atexit(void);
int H5open(void);

// The header's macros call this to end the program if a library of another release was loaded. The
// number in the library's file name promises the same interface, and that is what is loaded.
__attribute__((visibility("hidden"))) int H5check_version(unsigned major, unsigned minor, unsigned release) {
  (void)major, (void)minor, (void)release;
  return 0;
}

const char *ckpt_hdf5_start(void *library) {
  const char *missing = ckpt_find(library, functions, sizeof functions / sizeof *functions);
  if (missing != NULL) return missing;
  // A file whose flush failed (disk full) must not be flushed again at exit.
  H5dont_atexit();
  H5open();
  for (size_t index = 0; index < sizeof ids / sizeof *ids; index++) {
    const int64_t *value = dlsym(library, ids[index].name);
    if (value == NULL) return ids[index].name;
    *ids[index].copy = *value;
  }
  return NULL;
}
