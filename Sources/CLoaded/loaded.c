#include "CLoaded.h"

#include <dlfcn.h>
#include <stddef.h>

const char *ckpt_find(void *library, const ckpt_loaded *names, int count) {
  for (int index = 0; index < count; index++) {
    void *address = dlsym(library, names[index].name);
    if (address == NULL) return names[index].name;
    *names[index].address = address;
  }
  return NULL;
}
