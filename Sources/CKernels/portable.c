// Every processor: fused multiply-adds by way of double, where the processor has none.
#include "tiles.h"

#include <math.h>

// a b + c with one rounding. The product of two floats is exact in double. Its sum with c is rounded to odd, so that the
// rounding to float that follows gives what one rounding would have given. (Boldo and Melquiond 2008, theorem 3.)
INLINE float fused(float a, float b, float c) {
#if defined(__FP_FAST_FMAF)
    return __builtin_fmaf(a, b, c);
#else
    const double product = (double)a * (double)b;
    const double addend = (double)c;
    union {
        double value;
        int64_t bits;
    } sum = {.value = product + addend};
    // What the sum has lost, exactly. (Knuth's two-sum.)
    const double part = sum.value - product;
    const double lost = (product - (sum.value - part)) + (addend - part);
    const int64_t isInexact = -(int64_t)((lost > 0) | (lost < 0));
    const int64_t isEven = (sum.bits & 1) - 1;
    const int64_t towards = (lost > 0) == (sum.value > 0) ? 1 : -1;
    sum.bits += towards & isInexact & isEven;
    return (float)sum.value;
#endif
}

static void tile_f32(
    const float *a, const char *b, long step, long line, long count, float *c, long ldc, int adds, long columns,
    const char *fetch, long spread, long pace) {
    (void)step, (void)ldc, (void)fetch, (void)spread, (void)pace;
    float sums[WIDTH] = {0};
    for (long x = 0; x < count; x++) {
        const float *values = (const float *)(b + x * line);
        for (int j = 0; j < WIDTH; j++) sums[j] = fused(a[x], values[j], sums[j]);
    }
    for (long column = 0; column < columns; column++) c[column] = adds ? c[column] + sums[column] : sums[column];
}

static void transpose(const char *rows, long stride, int element, long outputs, long count, char *panel) {
    if (element != KERNEL_BF16) return kernel_transpose_rest(rows, stride, element, outputs, 0, count, panel);
    kernel_transpose_rest(rows, stride, element, outputs, 0, count / 2, panel);
    if (count % 2) kernel_transpose_odd(rows, stride, outputs, count, panel);
}

static void widen(const char *panel, int element, long count, float *result) {
    const uint16_t *words = (const uint16_t *)panel;
    for (long x = 0; x < count; x++) {
        for (long j = 0; j < WIDTH; j++) {
            const long place = element == KERNEL_F16 ? x * WIDTH + j : (x / 2 * WIDTH + j) * 2 + x % 2;
            result[x * WIDTH + j] = widened(words[place], element);
        }
    }
}

const struct level kernel_portable_level = {
    .number = KERNEL_PORTABLE, .rows = 1, .block_rows = 64, .widest16 = 0,
    .panels = {0, 1},
    .tiles = {{{0, tile_f32}}},
    .transpose = transpose, .widen = widen,
};
