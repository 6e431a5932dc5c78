/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */

/* A model in C whose weights are in a blob: the first argument is its file. */

#include <stdio.h>

#include "residual.h"

int main(int argc, char** argv) {
  static _Alignas(16) unsigned char blob[4096], arena[1 << 16];
  static int8_t image[RESIDUAL_INPUT_0_COUNT], classes[RESIDUAL_OUTPUT_0_COUNT];
  FILE* const file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) return 1;
  const size_t bytes = fread(blob, 1, sizeof blob, file);
  fclose(file);
  if (residual_arena_bytes() > sizeof arena || residual_bind(blob, bytes) != 0) return 2;
  return residual_run(arena, sizeof arena, image, classes) == 0 ? 0 : 3;
}
