// What a level provides to the product's loops, which are the same for all of them.
#pragma once

#include "include/CKernels.h"

// Every operation is rounded once, as written: nothing may be fused but what is written as fused.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum {
    BLOCK = 256,             // inputs of one chain
    WIDTH = 16,              // outputs of a panel
    STRIDE = BLOCK + 16,     // floats between copied rows of A: rows must not fall on the same lines of the cache
    MOST_ROWS = 14,          // rows of the tallest tile of any level
    MOST_PANELS = 4,         // panels of the broadest
};

// A few rows times a few panels, over the inputs of one block.
//
//   a      rows of `count` inputs, STRIDE apart
//   b      the first panel; `step` bytes to the next one, `line` bytes from one input to the next (bf16: a pair of inputs)
//   c      rows, ldc apart; `columns` of them are written, at most 16 a panel
//   adds   whether the block is added to what c holds
//   fetch  what is fetched towards the core meanwhile: a line for each panel, `spread` apart, `pace` bytes on at each input
typedef void tile_function(
    const float *a, const char *b, long step, long line, long count, float *c, long ldc, int adds, long columns,
    const char *fetch, long spread, long pace);

struct level {
    int number;
    int rows;        // of the tallest tile
    int block_rows;  // rows of A that are multiplied with one panel before the next
    int widest16;    // the tallest tile that reads 16-bit panels; for more rows they are widened first
    // Panels of a tile of so many rows: the most that the registers hold.
    unsigned char panels[MOST_ROWS + 1];
    // By element, logarithm of the panels, and rows.
    tile_function *tiles[3][3][MOST_ROWS + 1];
    // Makes a panel of `outputs` rows (at most 16, the rest 0) that lie `stride` bytes apart: f32, or pairs of bf16.
    void (*transpose)(const char *rows, long stride, int element, long outputs, long count, char *panel);
    // Makes a panel of f32 of one of 16 bits.
    void (*widen)(const char *panel, int element, long count, float *result);
    // Makes a panel of f32 of sixteen columns of 16 bits, `stride` bytes from one input to the next.
    void (*gather)(const char *columns, long stride, int element, long count, float *panel);
    // One row of A times weights in rows, `stride` bytes apart, where they lie. At least one output; returns how many of
    // them it has computed, from the first on. Null where a level has nothing faster than panels.
    long (*single)(
        const float *a, const char *rows, long stride, int element, long outputs, long inputs, float *c);
};

extern const struct level kernel_portable_level;
#if defined(__x86_64__)
extern const struct level kernel_avx2_level;
extern const struct level kernel_avx512_level;
// AVX-512 gains nothing here: the memory sets the pace.
void kernel_avx2_gather(const char *columns, long stride, int element, long count, float *panel);
long kernel_avx2_single(
    const float *a, const char *rows, long stride, int element, long outputs, long inputs, float *c);
#endif
#if defined(__aarch64__)
extern const struct level kernel_neon_level;
#endif

// Bytes of the copy of A that kernel_product_amx makes.
size_t kernel_amx_copy_bytes(long rows, long inputs);

INLINE long least(long a, long b) { return a < b ? a : b; }
INLINE long divide_up(long a, long b) { return (a + b - 1) / b; }

// bf16 is the upper half of an f32; f16 is rebiased by a multiplication that is exact for subnormal numbers too.
INLINE float widened(uint16_t word, int element) {
    union {
        uint32_t bits;
        float value;
    } result;
    if (element == KERNEL_BF16) {
        result.bits = (uint32_t)word << 16;
        return result.value;
    }
    union {
        uint32_t bits;
        float value;
    } rebias = {.bits = 0x77800000u};
    result.bits = (uint32_t)(word & 0x7FFF) << 13;
    const uint32_t special = result.bits | 0x7F800000u;
    result.value *= rebias.value;
    if ((word & 0x7C00) == 0x7C00) result.bits = special;
    result.bits |= (uint32_t)(word & 0x8000) << 16;
    return result.value;
}

// What is left of a row's words after whole vectors of them: from word `x` on.
static inline void kernel_transpose_rest(
    const char *rows, long stride, int element, long outputs, long x, long words, char *panel) {
    for (; x < words; x++) {
        for (long output = 0; output < WIDTH; output++) {
            uint32_t *place = (uint32_t *)(panel + x * 64) + output;
            if (output >= outputs) {
                *place = 0;
            } else if (element == KERNEL_F16) {
                uint16_t word;
                __builtin_memcpy(&word, rows + output * stride + x * 2, 2);
                const float value = widened(word, KERNEL_F16);
                __builtin_memcpy(place, &value, 4);
            } else {
                __builtin_memcpy(place, rows + output * stride + x * 4, 4);
            }
        }
    }
}

// The last pair of an odd number of bf16: its second half is 0.
static inline void kernel_transpose_odd(const char *rows, long stride, long outputs, long count, char *panel) {
    for (long output = 0; output < WIDTH; output++) {
        uint16_t word = 0;
        if (output < outputs) __builtin_memcpy(&word, rows + output * stride + (count - 1) * 2, 2);
        ((uint32_t *)(panel + count / 2 * 64))[output] = word;
    }
}
