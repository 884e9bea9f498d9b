// NEON: 32 registers of four floats.
#if defined(__aarch64__)
#include "tiles.h"

#include <arm_neon.h>

// A quarter of a panel's line: four floats from f32, from f16, or from the even (part 0) or odd (part 1) of bf16 pairs.
INLINE float32x4_t load(const char *line, const int quarter, const int element, const int part) {
    if (element == KERNEL_F32) return vld1q_f32((const float *)line + 4 * quarter);
    if (element == KERNEL_F16) {
        return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)line + 4 * quarter)));
    }
    const uint32x4_t pairs = vld1q_u32((const uint32_t *)line + 4 * quarter);
    if (part == 0) return vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));
    return vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xFFFF0000u)));
}

INLINE void step_tile(
    float32x4_t sums[6][8], const int rows, const int panels, const int element, const int part, const float *a,
    const char *b, long step) {
    float32x4_t lines[8];
    UNROLL
    for (int v = 0; v < 4 * panels; v++) lines[v] = load(b + v / 4 * step, v % 4, element, part);
    UNROLL
    for (int i = 0; i < rows; i++) {
        const float32x4_t x = vdupq_n_f32(a[i * STRIDE]);
        UNROLL
        for (int v = 0; v < 4 * panels; v++) sums[i][v] = vfmaq_f32(sums[i][v], x, lines[v]);
    }
}

INLINE void tile(
    const int rows, const int panels, const int element, const float *a, const char *b, long step, long line,
    long count, float *c, long ldc, int adds, long columns, const char *fetch, long spread, long pace) {
    float32x4_t sums[6][8];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < 4 * panels; v++) sums[i][v] = vdupq_n_f32(0);
    }
    const int stepped = element == KERNEL_BF16 ? 2 : 1;
    long x = 0;
    for (; x + stepped <= count; x += stepped) {
        UNROLL
        for (int v = 0; v < panels; v++) __builtin_prefetch(fetch + v * spread, 0, 3);
        step_tile(sums, rows, panels, element, 0, a + x, b, step);
        if (element == KERNEL_BF16) step_tile(sums, rows, panels, element, 1, a + x + 1, b, step);
        b += line;
        fetch += pace;
    }
    if (x < count) step_tile(sums, rows, panels, element, 0, a + x, b, step);
    if (columns >= WIDTH * panels) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < 4 * panels; v++) {
                float *place = c + i * ldc + 4 * v;
                if (adds) sums[i][v] = vaddq_f32(vld1q_f32(place), sums[i][v]);
                vst1q_f32(place, sums[i][v]);
            }
        }
        return;
    }
    float whole[2 * WIDTH];
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < 4 * panels; v++) vst1q_f32(whole + 4 * v, sums[i][v]);
        float *place = c + i * ldc;
        for (long column = 0; column < columns; column++) {
            place[column] = adds ? place[column] + whole[column] : whole[column];
        }
    }
}

#define TILE(rows, panels, element)                                                                                    \
    static void tile_##rows##_##panels##_##element(                                                                    \
        const float *a, const char *b, long step, long line, long count, float *c, long ldc, int adds, long columns,   \
        const char *fetch, long spread, long pace) {                                                                   \
        tile(rows, panels, element, a, b, step, line, count, c, ldc, adds, columns, fetch, spread, pace);              \
    }
#define TILES(element)                                                                                               \
    TILE(1, 1, element) TILE(2, 1, element) TILE(3, 1, element) TILE(4, 1, element) TILE(5, 1, element)              \
    TILE(6, 1, element) TILE(1, 2, element) TILE(2, 2, element)
TILES(0) TILES(1) TILES(2)
#define TABLE(element)                                                                                               \
    {{0, tile_1_1_##element, tile_2_1_##element, tile_3_1_##element, tile_4_1_##element, tile_5_1_##element,         \
      tile_6_1_##element},                                                                                           \
     {0, tile_1_2_##element, tile_2_2_##element}}

INLINE void transpose_words(
    const char *rows, long stride, const int element, long outputs, long words, char *panel) {
    const int size = element == KERNEL_F16 ? 2 : 4;
    long x = 0;
    for (; x + 4 <= words; x += 4) {
        for (int quarter = 0; quarter < 4; quarter++) {
            float32x4_t r[4];
            UNROLL
            for (int j = 0; j < 4; j++) {
                const long output = 4 * quarter + j;
                const char *source = rows + output * stride + x * size;
                if (output >= outputs) r[j] = vdupq_n_f32(0);
                else if (element == KERNEL_F16) {
                    r[j] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8((const uint8_t *)source)));
                } else {
                    r[j] = vreinterpretq_f32_u8(vld1q_u8((const uint8_t *)source));
                }
            }
            const float32x4x2_t low = vtrnq_f32(r[0], r[1]), high = vtrnq_f32(r[2], r[3]);
            float *place = (float *)(panel + x * 64) + 4 * quarter;
            vst1q_f32(place, vcombine_f32(vget_low_f32(low.val[0]), vget_low_f32(high.val[0])));
            vst1q_f32(place + WIDTH, vcombine_f32(vget_low_f32(low.val[1]), vget_low_f32(high.val[1])));
            vst1q_f32(place + 2 * WIDTH, vcombine_f32(vget_high_f32(low.val[0]), vget_high_f32(high.val[0])));
            vst1q_f32(place + 3 * WIDTH, vcombine_f32(vget_high_f32(low.val[1]), vget_high_f32(high.val[1])));
        }
    }
    kernel_transpose_rest(rows, stride, element, outputs, x, words, panel);
}

static void transpose(const char *rows, long stride, int element, long outputs, long count, char *panel) {
    switch (element) {
    case KERNEL_F32: transpose_words(rows, stride, KERNEL_F32, outputs, count, panel); break;
    case KERNEL_F16: transpose_words(rows, stride, KERNEL_F16, outputs, count, panel); break;
    default:
        transpose_words(rows, stride, KERNEL_BF16, outputs, count / 2, panel);
        if (count % 2) kernel_transpose_odd(rows, stride, outputs, count, panel);
    }
}

static void widen(const char *panel, int element, long count, float *result) {
    for (long x = 0; x < count; x++) {
        const char *line = element == KERNEL_F16 ? panel + x * 32 : panel + x / 2 * 64;
        for (int quarter = 0; quarter < 4; quarter++) {
            const float32x4_t values = element == KERNEL_F16 ? load(line, quarter, KERNEL_F16, 0)
                : x % 2 ? load(line, quarter, KERNEL_BF16, 1) : load(line, quarter, KERNEL_BF16, 0);
            vst1q_f32(result + x * WIDTH + 4 * quarter, values);
        }
    }
}

const struct level kernel_neon_level = {
    .number = KERNEL_NEON, .rows = 6, .block_rows = 144, .widest16 = 6,
    .panels = {0, 2, 2, 1, 1, 1, 1},
    .tiles = {TABLE(0), TABLE(1), TABLE(2)},
    .transpose = transpose, .widen = widen,
};
#endif
