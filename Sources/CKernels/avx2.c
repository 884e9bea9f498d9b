// AVX2 with FMA and F16C: 16 registers of eight floats.
#if defined(__x86_64__)
#include "tiles.h"

#include <immintrin.h>

#define LEVEL __attribute__((target("avx2,fma,f16c")))

// One line of a panel's half: eight floats from f32, from f16, or from the even (part 0) or odd (part 1) of bf16 pairs.
LEVEL INLINE __m256 load(const char *line, const int half, const int element, const int part) {
    if (element == KERNEL_F32) return _mm256_loadu_ps((const float *)line + 8 * half);
    if (element == KERNEL_F16) return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)line + half));
    const __m256i pairs = _mm256_loadu_si256((const __m256i *)line + half);
    if (part == 0) return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xFFFF0000)));
}

LEVEL INLINE void step_tile(
    __m256 sums[6][8], const int rows, const int panels, const int element, const int part, const float *a,
    const char *b, long step) {
    __m256 lines[8];
    UNROLL
    for (int v = 0; v < 2 * panels; v++) lines[v] = load(b + v / 2 * step, v % 2, element, part);
    UNROLL
    for (int i = 0; i < rows; i++) {
        const __m256 x = _mm256_broadcast_ss(a + i * STRIDE);
        UNROLL
        for (int v = 0; v < 2 * panels; v++) sums[i][v] = _mm256_fmadd_ps(x, lines[v], sums[i][v]);
    }
}

LEVEL INLINE void tile(
    const int rows, const int panels, const int element, const float *a, const char *b, long step, long line,
    long count, float *c, long ldc, int adds, long columns, const char *fetch, long spread, long pace) {
    __m256 sums[6][8];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < 2 * panels; v++) sums[i][v] = _mm256_setzero_ps();
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
    if (columns >= 16 * panels) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < 2 * panels; v++) {
                float *place = c + i * ldc + 8 * v;
                if (adds) sums[i][v] = _mm256_add_ps(_mm256_loadu_ps(place), sums[i][v]);
                _mm256_storeu_ps(place, sums[i][v]);
            }
        }
        return;
    }
    UNROLL
    for (int v = 0; v < 2 * panels; v++) {
        const __m256i mask = _mm256_cmpgt_epi32(
            _mm256_set1_epi32((int)(columns - 8 * v)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        UNROLL
        for (int i = 0; i < rows; i++) {
            float *place = c + i * ldc + 8 * v;
            if (adds) sums[i][v] = _mm256_add_ps(_mm256_maskload_ps(place, mask), sums[i][v]);
            _mm256_maskstore_ps(place, mask, sums[i][v]);
        }
    }
}

#define TILE(rows, panels, element)                                                                                    \
    LEVEL static void tile_##rows##_##panels##_##element(                                                              \
        const float *a, const char *b, long step, long line, long count, float *c, long ldc, int adds, long columns,   \
        const char *fetch, long spread, long pace) {                                                                   \
        tile(rows, panels, element, a, b, step, line, count, c, ldc, adds, columns, fetch, spread, pace);              \
    }
#define TILES(element)                                                                                               \
    TILE(1, 1, element) TILE(2, 1, element) TILE(3, 1, element) TILE(4, 1, element) TILE(5, 1, element)              \
    TILE(6, 1, element) TILE(1, 2, element) TILE(2, 2, element) TILE(3, 2, element) TILE(1, 4, element)
TILES(0) TILES(1) TILES(2)
#define TABLE(element)                                                                                               \
    {{0, tile_1_1_##element, tile_2_1_##element, tile_3_1_##element, tile_4_1_##element, tile_5_1_##element,         \
      tile_6_1_##element},                                                                                           \
     {0, tile_1_2_##element, tile_2_2_##element, tile_3_2_##element},                                                \
     {0, tile_1_4_##element}}

// Eight rows of eight 32-bit words become eight lines.
LEVEL INLINE void turn(__m256 r[8]) {
    __m256 t[8];
    UNROLL
    for (int j = 0; j < 8; j += 2) {
        t[j] = _mm256_unpacklo_ps(r[j], r[j + 1]);
        t[j + 1] = _mm256_unpackhi_ps(r[j], r[j + 1]);
    }
    UNROLL
    for (int j = 0; j < 8; j += 4) {
        r[j] = _mm256_shuffle_ps(t[j], t[j + 2], 0x44);
        r[j + 1] = _mm256_shuffle_ps(t[j], t[j + 2], 0xEE);
        r[j + 2] = _mm256_shuffle_ps(t[j + 1], t[j + 3], 0x44);
        r[j + 3] = _mm256_shuffle_ps(t[j + 1], t[j + 3], 0xEE);
    }
    UNROLL
    for (int j = 0; j < 4; j++) {
        t[j] = _mm256_permute2f128_ps(r[j], r[j + 4], 0x20);
        t[j + 4] = _mm256_permute2f128_ps(r[j], r[j + 4], 0x31);
    }
    UNROLL
    for (int j = 0; j < 8; j++) r[j] = t[j];
}

// Rows of f32, or of pairs of bf16, which are words of 32 bits too; f16 is widened first.
LEVEL INLINE void transpose_words(
    const char *rows, long stride, const int element, long outputs, long words, char *panel) {
    const int size = element == KERNEL_F16 ? 2 : 4;
    // Sixteen words of eight rows at a time: rows that lie far apart share the lines of the cache's sets.
    const long whole = words / 8 * 8;
    for (long start = 0; start < whole; start += 16) {
        for (int half = 0; half < 2; half++) {
            for (long x = start; x < start + 16 && x < whole; x += 8) {
                __m256 r[8];
                UNROLL
                for (int j = 0; j < 8; j++) {
                    const long output = 8 * half + j;
                    const char *source = rows + output * stride + x * size;
                    if (output >= outputs) r[j] = _mm256_setzero_ps();
                    else if (element == KERNEL_F16) r[j] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)source));
                    else r[j] = _mm256_loadu_ps((const float *)source);
                }
                turn(r);
                UNROLL
                for (int j = 0; j < 8; j++) _mm256_store_ps((float *)(panel + (x + j) * 64) + 8 * half, r[j]);
            }
        }
    }
    kernel_transpose_rest(rows, stride, element, outputs, whole, words, panel);
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
    for (long x = 0; x < count; x++) {
        const char *line = element == KERNEL_F16 ? panel + x * 32 : panel + x / 2 * 64;
        for (int half = 0; half < 2; half++) {
            const __m256 values = element == KERNEL_F16 ? load(line, half, KERNEL_F16, 0)
                : x % 2 ? load(line, half, KERNEL_BF16, 1) : load(line, half, KERNEL_BF16, 0);
            _mm256_store_ps(result + x * WIDTH + 8 * half, values);
        }
    }
}

LEVEL void kernel_avx2_gather(const char *columns, long stride, int element, long count, float *panel) {
    for (long x = 0; x < count; x++) {
        const __m128i *line = (const __m128i *)(columns + x * stride);
        for (int half = 0; half < 2; half++) {
            const __m128i words = _mm_loadu_si128(line + half);
            const __m256 values = element == KERNEL_F16
                ? _mm256_cvtph_ps(words)
                : _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
            _mm256_store_ps(panel + x * WIDTH + 8 * half, values);
        }
    }
}

// The addresses of eight rows: four from `low` on, four from `high` on.
struct eight_rows {
    const char *low, *high;
};

// Eight words of eight rows as eight lines. The upper halves come from rows 4 to 7, so that no lane is crossed later.
LEVEL INLINE void load_turned(struct eight_rows rows, long stride, long stride3, const int element, __m256 r[8]) {
    __m256 t[8];
    const long offsets[4] = {0, stride, 2 * stride, stride3};
    UNROLL
    for (int j = 0; j < 4; j++) {
        const char *low = rows.low + offsets[j], *high = rows.high + offsets[j];
        if (element == KERNEL_F16) {
            const __m256 a = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)low));
            const __m256 b = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)high));
            r[j] = _mm256_permute2f128_ps(a, b, 0x20);
            r[j + 4] = _mm256_permute2f128_ps(a, b, 0x31);
        } else {
            r[j] = _mm256_insertf128_ps(
                _mm256_castps128_ps256(_mm_loadu_ps((const float *)low)), _mm_loadu_ps((const float *)high), 1);
            r[j + 4] = _mm256_insertf128_ps(
                _mm256_castps128_ps256(_mm_loadu_ps((const float *)low + 4)), _mm_loadu_ps((const float *)high + 4), 1);
        }
    }
    UNROLL
    for (int j = 0; j < 8; j += 4) {
        t[j] = _mm256_unpacklo_ps(r[j], r[j + 1]);
        t[j + 1] = _mm256_unpackhi_ps(r[j], r[j + 1]);
        t[j + 2] = _mm256_unpacklo_ps(r[j + 2], r[j + 3]);
        t[j + 3] = _mm256_unpackhi_ps(r[j + 2], r[j + 3]);
        r[j] = _mm256_shuffle_ps(t[j], t[j + 2], 0x44);
        r[j + 1] = _mm256_shuffle_ps(t[j], t[j + 2], 0xEE);
        r[j + 2] = _mm256_shuffle_ps(t[j + 1], t[j + 3], 0x44);
        r[j + 3] = _mm256_shuffle_ps(t[j + 1], t[j + 3], 0xEE);
    }
}

// Adds a of eight words (bf16: pairs of inputs) times eight lines to a chain.
LEVEL INLINE __m256 chain_lines(const int element, const float *a, const __m256 r[8], __m256 sum) {
    UNROLL
    for (int j = 0; j < 8; j++) {
        if (element == KERNEL_BF16) {
            const __m256i pairs = _mm256_castps_si256(r[j]);
            const __m256 even = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
            const __m256 odd = _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xFFFF0000)));
            sum = _mm256_fmadd_ps(_mm256_broadcast_ss(a + 2 * j), even, sum);
            sum = _mm256_fmadd_ps(_mm256_broadcast_ss(a + 2 * j + 1), odd, sum);
        } else {
            sum = _mm256_fmadd_ps(_mm256_broadcast_ss(a + j), r[j], sum);
        }
    }
    return sum;
}

// The inputs from x on that are no whole words: one after another.
LEVEL static __m256 chain_rest(
    int element, const float *a, const char *rows, long stride, long x, long end, __m256 sum) {
    const int size = element == KERNEL_F32 ? 4 : 2;
    for (; x < end; x++) {
        float line[8];
        for (int j = 0; j < 8; j++) {
            uint16_t half;
            if (element == KERNEL_F32) {
                __builtin_memcpy(line + j, rows + j * stride + x * size, 4);
            } else {
                __builtin_memcpy(&half, rows + j * stride + x * size, 2);
                line[j] = widened(half, element);
            }
        }
        sum = _mm256_fmadd_ps(_mm256_broadcast_ss(a + x), _mm256_loadu_ps(line), sum);
    }
    return sum;
}

// Sixteen outputs: two groups of eight with chains of their own, which hides half of the chains' latency. The rows of the
// next sixteen are fetched meanwhile, as one stretch of memory where they follow each other.
LEVEL INLINE void single_sixteen(
    const int element, const float *a, const char *rows, long stride, long inputs, float *c) {
    const int step = element == KERNEL_BF16 ? 16 : 8, size = element == KERNEL_F32 ? 4 : 2;
    const long stride3 = 3 * stride;
    const char *fetch = rows + 16 * stride;
    __m256 total0 = _mm256_setzero_ps(), total1 = total0;
    for (long block = 0; block < inputs; block += BLOCK) {
        const long end = least(inputs, block + BLOCK);
        __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0;
        struct eight_rows first = {rows + block * size, rows + 4 * stride + block * size};
        struct eight_rows second = {first.low + 8 * stride, first.high + 8 * stride};
        long x = block;
        for (; x + step <= end; x += step) {
            // Otherwise the compiler keeps sixteen addresses, more than there are registers.
            __asm__("" : "+r"(first.low), "+r"(first.high), "+r"(second.low), "+r"(second.high));
            // As many lines as are read.
            UNROLL
            for (int j = 0; j < 16 * 8 * (element == KERNEL_F16 ? 2 : 4); j += 64) {
                _mm_prefetch(fetch + j, _MM_HINT_T1);
            }
            fetch += 16 * 8 * (element == KERNEL_F16 ? 2 : 4);
            __m256 r[8];
            load_turned(first, stride, stride3, element, r);
            sum0 = chain_lines(element, a + x, r, sum0);
            load_turned(second, stride, stride3, element, r);
            sum1 = chain_lines(element, a + x, r, sum1);
            first.low += step * size, first.high += step * size;
            second.low += step * size, second.high += step * size;
        }
        if (x < end) {
            sum0 = chain_rest(element, a, rows, stride, x, end, sum0);
            sum1 = chain_rest(element, a, rows + 8 * stride, stride, x, end, sum1);
        }
        total0 = block ? _mm256_add_ps(total0, sum0) : sum0;
        total1 = block ? _mm256_add_ps(total1, sum1) : sum1;
    }
    _mm256_storeu_ps(c, total0);
    _mm256_storeu_ps(c + 8, total1);
}

#define SINGLE(element)                                                                                              \
    LEVEL static long single_##element(                                                                              \
        const float *a, const char *rows, long stride, long outputs, long inputs, float *c) {                        \
        long output = 0;                                                                                             \
        for (; output + 16 <= outputs; output += 16) {                                                               \
            single_sixteen(element, a, rows + output * stride, stride, inputs, c + output);                          \
        }                                                                                                            \
        return output;                                                                                               \
    }
SINGLE(0) SINGLE(1) SINGLE(2)

long kernel_avx2_single(
    const float *a, const char *rows, long stride, int element, long outputs, long inputs, float *c) {
    switch (element) {
    case KERNEL_F32: return single_0(a, rows, stride, outputs, inputs, c);
    case KERNEL_BF16: return single_1(a, rows, stride, outputs, inputs, c);
    default: return single_2(a, rows, stride, outputs, inputs, c);
    }
}

const struct level kernel_avx2_level = {
    .number = KERNEL_AVX2, .rows = 6, .block_rows = 144, .widest16 = 6,
    .panels = {0, 4, 2, 2, 1, 1, 1},
    .tiles = {TABLE(0), TABLE(1), TABLE(2)},
    .transpose = transpose, .widen = widen, .gather = kernel_avx2_gather, .single = kernel_avx2_single,
};
#endif
