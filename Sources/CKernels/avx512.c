// AVX-512: 32 registers of sixteen floats.
#if defined(__x86_64__)
#include "tiles.h"

#include <immintrin.h>

#define LEVEL __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")))

// One line of a panel: sixteen floats from f32, from f16, or from the even (part 0) or odd (part 1) of bf16 pairs.
LEVEL INLINE __m512 load(const char *line, const int element, const int part) {
    if (element == KERNEL_F32) return _mm512_loadu_ps((const float *)line);
    if (element == KERNEL_F16) return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)line));
    const __m512i pairs = _mm512_loadu_si512(line);
    if (part == 0) return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xFFFF0000)));
}

LEVEL INLINE void step_tile(
    __m512 sums[MOST_ROWS][4], const int rows, const int panels, const int element, const int part, const float *a,
    const char *b, long step) {
    __m512 lines[4];
    UNROLL
    for (int v = 0; v < panels; v++) lines[v] = load(b + v * step, element, part);
    UNROLL
    for (int i = 0; i < rows; i++) {
        const __m512 x = _mm512_set1_ps(a[i * STRIDE]);
        UNROLL
        for (int v = 0; v < panels; v++) sums[i][v] = _mm512_fmadd_ps(x, lines[v], sums[i][v]);
    }
}

LEVEL INLINE void tile(
    const int rows, const int panels, const int element, const float *a, const char *b, long step, long line,
    long count, float *c, long ldc, int adds, long columns, const char *fetch, long spread, long pace) {
    __m512 sums[MOST_ROWS][4];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < panels; v++) sums[i][v] = _mm512_setzero_ps();
    }
    const int stepped = element == KERNEL_BF16 ? 2 : 1;
    long x = 0;
    for (; x + stepped <= count; x += stepped) {
        UNROLL
        for (int v = 0; v < panels; v++) _mm_prefetch(fetch + v * spread, _MM_HINT_T0);
        step_tile(sums, rows, panels, element, 0, a + x, b, step);
        if (element == KERNEL_BF16) step_tile(sums, rows, panels, element, 1, a + x + 1, b, step);
        b += line;
        fetch += pace;
    }
    if (x < count) step_tile(sums, rows, panels, element, 0, a + x, b, step);
    UNROLL
    for (int v = 0; v < panels; v++) {
        const long left = columns - WIDTH * v;
        const __mmask16 mask = left >= WIDTH ? 0xFFFF : left > 0 ? (__mmask16)((1u << left) - 1) : 0;
        UNROLL
        for (int i = 0; i < rows; i++) {
            float *place = c + i * ldc + WIDTH * v;
            if (adds) sums[i][v] = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, place), sums[i][v]);
            _mm512_mask_storeu_ps(place, mask, sums[i][v]);
        }
    }
}

#define TILE(rows, panels, element)                                                                                    \
    LEVEL static void tile_##rows##_##panels##_##element(                                                              \
        const float *a, const char *b, long step, long line, long count, float *c, long ldc, int adds, long columns,   \
        const char *fetch, long spread, long pace) {                                                                   \
        tile(rows, panels, element, a, b, step, line, count, c, ldc, adds, columns, fetch, spread, pace);              \
    }
#define LOW(panels, element)                                                                                         \
    TILE(1, panels, element) TILE(2, panels, element) TILE(3, panels, element) TILE(4, panels, element)              \
    TILE(5, panels, element) TILE(6, panels, element)
#define HIGH(panels, element)                                                                                        \
    TILE(7, panels, element) TILE(8, panels, element) TILE(9, panels, element) TILE(10, panels, element)             \
    TILE(11, panels, element) TILE(12, panels, element) TILE(13, panels, element) TILE(14, panels, element)
#define TILES(element) LOW(1, element) LOW(2, element) LOW(4, element)
TILES(0) TILES(1) TILES(2)
HIGH(1, 0) HIGH(2, 0)
#define LOWS(panels, element)                                                                                        \
    0, tile_1_##panels##_##element, tile_2_##panels##_##element, tile_3_##panels##_##element,                        \
        tile_4_##panels##_##element, tile_5_##panels##_##element, tile_6_##panels##_##element
#define HIGHS(panels)                                                                                                \
    tile_7_##panels##_0, tile_8_##panels##_0, tile_9_##panels##_0, tile_10_##panels##_0, tile_11_##panels##_0,       \
        tile_12_##panels##_0, tile_13_##panels##_0, tile_14_##panels##_0

// Sixteen rows of sixteen 32-bit words become sixteen lines.
LEVEL INLINE void turn(__m512 r[16]) {
    __m512 t[16];
    UNROLL
    for (int j = 0; j < 16; j += 2) {
        t[j] = _mm512_unpacklo_ps(r[j], r[j + 1]);
        t[j + 1] = _mm512_unpackhi_ps(r[j], r[j + 1]);
    }
    // Now lane q of r[j + i] holds the words 4 q + i of the rows j to j + 3.
    UNROLL
    for (int j = 0; j < 16; j += 4) {
        r[j] = _mm512_shuffle_ps(t[j], t[j + 2], 0x44);
        r[j + 1] = _mm512_shuffle_ps(t[j], t[j + 2], 0xEE);
        r[j + 2] = _mm512_shuffle_ps(t[j + 1], t[j + 3], 0x44);
        r[j + 3] = _mm512_shuffle_ps(t[j + 1], t[j + 3], 0xEE);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        const __m512 even_low = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        const __m512 odd_low = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xDD);
        const __m512 even_high = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        const __m512 odd_high = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xDD);
        t[i] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
        t[i + 8] = _mm512_shuffle_f32x4(even_low, even_high, 0xDD);
        t[i + 12] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD);
    }
    UNROLL
    for (int j = 0; j < 16; j++) r[j] = t[j];
}

// Rows of f32, or of pairs of bf16, which are words of 32 bits too; f16 is widened first.
LEVEL INLINE void transpose_words(
    const char *rows, long stride, const int element, long outputs, long words, char *panel) {
    const int size = element == KERNEL_F16 ? 2 : 4;
    long x = 0;
    for (; x + 16 <= words; x += 16) {
        __m512 r[16];
        UNROLL
        for (int j = 0; j < 16; j++) {
            const char *source = rows + j * stride + x * size;
            if (j >= outputs) r[j] = _mm512_setzero_ps();
            else if (element == KERNEL_F16) r[j] = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)source));
            else r[j] = _mm512_loadu_ps((const float *)source);
        }
        turn(r);
        UNROLL
        for (int j = 0; j < 16; j++) _mm512_store_ps((float *)(panel + (x + j) * 64), r[j]);
    }
    kernel_transpose_rest(rows, stride, element, outputs, x, words, panel);
}

LEVEL static void transpose(const char *rows, long stride, int element, long outputs, long count, char *panel) {
    switch (element) {
    case KERNEL_F32: transpose_words(rows, stride, KERNEL_F32, outputs, count, panel); break;
    case KERNEL_F16: transpose_words(rows, stride, KERNEL_F16, outputs, count, panel); break;
    default:
        transpose_words(rows, stride, KERNEL_BF16, outputs, count / 2, panel);
        if (count % 2) kernel_transpose_odd(rows, stride, outputs, count, panel);
    }
}

LEVEL static void widen(const char *panel, int element, long count, float *result) {
    if (element == KERNEL_F16) {
        for (long x = 0; x < count; x++) _mm512_store_ps(result + x * WIDTH, load(panel + x * 32, KERNEL_F16, 0));
        return;
    }
    for (long x = 0; x < count; x++) {
        const char *line = panel + x / 2 * 64;
        _mm512_store_ps(result + x * WIDTH, x % 2 ? load(line, KERNEL_BF16, 1) : load(line, KERNEL_BF16, 0));
    }
}

const struct level kernel_avx512_level = {
    .number = KERNEL_AVX512, .rows = 14, .block_rows = 280, .widest16 = 6,
    .panels = {0, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2},
    .tiles = {
        {{LOWS(1, 0), HIGHS(1)}, {LOWS(2, 0), HIGHS(2)}, {LOWS(4, 0)}},
        {{LOWS(1, 1)}, {LOWS(2, 1)}, {LOWS(4, 1)}},
        {{LOWS(1, 2)}, {LOWS(2, 2)}, {LOWS(4, 2)}},
    },
    .transpose = transpose, .widen = widen, .gather = kernel_avx2_gather, .single = kernel_avx2_single,
};
#endif
