#ifndef GOLDEN_BLOB_H
#define GOLDEN_BLOB_H

/* Written by lowbits 0.1.0: do not edit.
   Functions return 0, or the number of a lowbits::status. */

#include <stddef.h>
#include <stdint.h>

#define GOLDEN_BLOB_INPUT_0_COUNT 48  /* image [4][6][2], real = 0.5 * (q + 3) */
#define GOLDEN_BLOB_INPUT_1_COUNT 6  /* real_part [2][3] */
#define GOLDEN_BLOB_INPUT_2_COUNT 1  /* a_name_with_as_many_characters_as_a_buil [1][1][1], real = 0.5 * (q + 3) */
#define GOLDEN_BLOB_INPUT_3_COUNT 8  /* grid [2][2][2], real = 0.007874016 * q */
#define GOLDEN_BLOB_OUTPUT_0_COUNT 1  /* head [1][1], real = 1.0 * q */
#define GOLDEN_BLOB_OUTPUT_1_COUNT 48  /* raised [4][6][2], real = 0.5 * (q + 3) */
#define GOLDEN_BLOB_OUTPUT_2_COUNT 4  /* real_rows [4] */
#define GOLDEN_BLOB_OUTPUT_3_COUNT 48  /* looked_up [4][6][2], real = 0.25 * q */
#define GOLDEN_BLOB_OUTPUT_4_COUNT 1  /* wide_table [1][1], real = 0.25 * q */
#define GOLDEN_BLOB_OUTPUT_5_COUNT 6  /* reals [2][3] */
#define GOLDEN_BLOB_OUTPUT_6_COUNT 288  /* n9_up [8][12][3], real = 0.25 * q */
#define GOLDEN_BLOB_OUTPUT_7_COUNT 96  /* up_same [8][12][1], real = 0.25 * q */

#ifdef __cplusplus
extern "C" {
#endif

size_t golden_blob_arena_bytes(void);  /* at a multiple of 16 bytes */
/* Before the first run: the weights, at a multiple of 16 bytes; they are used where they lie. */
int golden_blob_bind(const void* blob, size_t blob_bytes);
int golden_blob_run(void* arena, size_t arena_bytes, const int8_t* image, const float* real_part,
    const int8_t* a_name_with_as_many_characters_as_a_buil, const int8_t* grid, int16_t* head,
    int8_t* raised, float* real_rows, uint8_t* looked_up, int16_t* wide_table, float* reals,
    int8_t* n9_up, int8_t* up_same);

#ifdef __cplusplus
}
#endif

#endif
