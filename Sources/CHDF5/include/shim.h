#pragma once
// From 1.12 on, some functions are macros that Swift cannot import; ask for the 1.10 names.
#define H5_USE_110_API
#if __has_include(<hdf5.h>)
#include <hdf5.h>
#else
#include <hdf5/serial/hdf5.h>  // Debian's folder
#endif
// HDF5Library.swift knows the file names of the libraries that belong to these headers.
#if H5_VERS_MAJOR != 1 || (H5_VERS_MINOR != 10 && H5_VERS_MINOR != 12 && H5_VERS_MINOR != 14)
#error "the headers of HDF5 1.10, 1.12, or 1.14 are needed"
#endif

/// Finds the functions in the library that dlopen opened, starts it, and takes over its predefined
/// ids; NULL, or the first name that it lacks. No other function may be called before.
const char *ckpt_hdf5_start(void *library);

// HDF5's predefined ids are macros that run H5open() first, so Swift cannot import them.
// Each line re-exports one under its documented name.
#define CKPT_IMPORT(type, name) \
  static inline type ckpt_##name(void) __attribute__((swift_name("getter:" #name "()"))); \
  static inline type ckpt_##name(void) { return name; }

CKPT_IMPORT(unsigned, H5F_ACC_RDONLY)
CKPT_IMPORT(unsigned, H5F_ACC_RDWR)
CKPT_IMPORT(unsigned, H5F_ACC_TRUNC)
CKPT_IMPORT(haddr_t, HADDR_UNDEF)

CKPT_IMPORT(hid_t, H5P_FILE_CREATE)
CKPT_IMPORT(hid_t, H5P_FILE_ACCESS)
CKPT_IMPORT(hid_t, H5P_GROUP_CREATE)
CKPT_IMPORT(hid_t, H5P_DATASET_CREATE)
CKPT_IMPORT(hid_t, H5P_DATASET_ACCESS)
CKPT_IMPORT(hid_t, H5P_DATASET_XFER)
CKPT_IMPORT(hid_t, H5P_LINK_ACCESS)

CKPT_IMPORT(hid_t, H5T_C_S1)
CKPT_IMPORT(hid_t, H5T_STD_I8LE)
CKPT_IMPORT(hid_t, H5T_STD_I16LE)
CKPT_IMPORT(hid_t, H5T_STD_I32LE)
CKPT_IMPORT(hid_t, H5T_STD_I64LE)
CKPT_IMPORT(hid_t, H5T_STD_U8LE)
CKPT_IMPORT(hid_t, H5T_STD_U16LE)
CKPT_IMPORT(hid_t, H5T_STD_U32LE)
CKPT_IMPORT(hid_t, H5T_STD_U64LE)
CKPT_IMPORT(hid_t, H5T_IEEE_F32LE)
CKPT_IMPORT(hid_t, H5T_IEEE_F64LE)
