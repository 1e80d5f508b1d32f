// Stands in for libFuzzer in an ordinary build: replay FILE... gives each file to the target once, and names it before.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) abort();
  const long size = ftell(file);
  if (size < 0) abort();
  uint8_t *bytes = malloc((size_t)size + 1);
  if (bytes == NULL || fseek(file, 0, SEEK_SET) != 0 || fread(bytes, 1, (size_t)size, file) != (size_t)size) abort();
  fclose(file);
  LLVMFuzzerTestOneInput(bytes, (size_t)size);
  free(bytes);
}

int main(int count, char **paths) {
  for (int i = 1; i < count; i++) {
    fprintf(stderr, "%s\n", paths[i]);
    replay(paths[i]);
  }
  return 0;
}
