// The matrix unit of Intel's processors: tiles of 16 rows of 64 bytes. Its sums have an order of their own: in f32, of the
// even and the odd of 32 inputs apart, then of both, then added to the sum. It depends on the number of inputs alone, too.
#include "tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define LEVEL __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")))

enum {
    ROW_BLOCK = 256,    // rows of A that are multiplied with two panels before the next ones
    INPUT_BLOCK = 1024, // inputs; the sums so far are kept in C, which does not change them
    PAIR_LINE = 64,     // bytes of a panel's line: sixteen pairs
};

size_t kernel_amx_copy_bytes(long rows, long inputs) {
    // Rows that end within a tile are copied, so that zeros follow.
    return inputs % 32 ? (size_t)(least(rows, ROW_BLOCK) * least(INPUT_BLOCK, divide_up(inputs, 32) * 32) * 2) : 0;
}

// Tiles 0 and 1 are the sums of the upper rows, 2 and 3 of the lower ones; 4 and 5 rows of A, 6 and 7 panels.
LEVEL static void configure(int upper, int lower) {
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape;
    memset(&shape, 0, sizeof shape);
    shape.palette = 1;
    const int rows[8] = {upper, upper, lower ? lower : 1, lower ? lower : 1, upper, lower ? lower : 1, 16, 16};
    for (int tile = 0; tile < 8; tile++) {
        shape.bytes[tile] = 64;
        shape.rows[tile] = (uint8_t)rows[tile];
    }
    // Some compilers don't see that the instruction reads the shape.
    __asm__ volatile("" : : "r"(&shape) : "memory");
    _tile_loadconfig(&shape);
}

// Up to 32 rows of A times one or two panels. c: the rows of C, or of [32][32] beside it where C's edge cuts tiles off.
LEVEL INLINE void multiply(
    const char *a, long lda, const char *b, long step, long lines, float *c, long ldc, int adds, const int has_lower,
    const int has_two) {
    const long bytes = ldc * 4;
    if (adds) {
        _tile_loadd(0, c, bytes);
        if (has_two) _tile_loadd(1, c + WIDTH, bytes);
        if (has_lower) _tile_loadd(2, c + 16 * ldc, bytes);
        if (has_lower && has_two) _tile_loadd(3, c + 16 * ldc + WIDTH, bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (long line = 0; line < lines; line += 16) {
        const char *pairs = b + line * PAIR_LINE, *words = a + line * 4;
        _tile_loadd(6, pairs, PAIR_LINE);
        _tile_loadd(4, words, lda);
        _tile_dpbf16ps(0, 4, 6);
        if (has_two) {
            _tile_loadd(7, pairs + step, PAIR_LINE);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (has_lower) {
            _tile_loadd(5, words + 16 * lda, lda);
            _tile_dpbf16ps(2, 5, 6);
            if (has_two) _tile_dpbf16ps(3, 5, 7);
        } else {
            // A few rows wait for the memory.
            _mm_prefetch(pairs + 4096, _MM_HINT_T0);
        }
    }
    _tile_stored(0, c, bytes);
    if (has_two) _tile_stored(1, c + WIDTH, bytes);
    if (has_lower) _tile_stored(2, c + 16 * ldc, bytes);
    if (has_lower && has_two) _tile_stored(3, c + 16 * ldc + WIDTH, bytes);
}

// A panel of pairs made from a weight that is not packed, with zeros up to a whole tile.
static void make_panel(
    const struct kernel_weight *weight, long first, long outputs, long block, long length, char *panel) {
    const long lines = divide_up(length, 32) * 16;
    const uint16_t *words = weight->start;
    memset(panel + length / 2 * PAIR_LINE, 0, (size_t)((lines - length / 2) * PAIR_LINE));
    if (weight->layout == KERNEL_ROWS) {
        const char *rows = (const char *)(words + first * weight->stride + block);
        kernel_avx512_level.transpose(rows, weight->stride * 2, KERNEL_BF16, outputs, length, panel);
        return;
    }
    for (long x = 0; x < length; x++) {
        const uint16_t *line = words + (block + x) * weight->stride + first;
        for (long j = 0; j < WIDTH; j++) {
            ((uint16_t *)panel)[(x / 2 * WIDTH + j) * 2 + x % 2] = j < outputs ? line[j] : 0;
        }
    }
}

LEVEL void kernel_product_amx(
    const uint16_t *a, long lda, long rows, const struct kernel_weight *weight, long outputs, long inputs, float *c,
    long ldc, void *scratch) {
    if (inputs == 0) {
        for (long i = 0; i < rows; i++) memset(c + i * ldc, 0, (size_t)outputs * 4);
        return;
    }
    char *made = scratch;
    uint16_t *copy = (uint16_t *)(made + MOST_PANELS * WIDTH * BLOCK * 4);
    const long panel_bytes = divide_up(inputs, 32) * 16 * PAIR_LINE;
    int shape = -1;
    for (long top = 0; top < rows; top += ROW_BLOCK) {
        const long some = least(ROW_BLOCK, rows - top);
        for (long block = 0; block < inputs; block += INPUT_BLOCK) {
            const long length = least(INPUT_BLOCK, inputs - block), lines = divide_up(length, 32) * 16;
            const uint16_t *words = a + top * lda + block;
            long stride = lda;
            if (length % 32) {
                stride = lines * 2;
                for (long i = 0; i < some; i++) {
                    memcpy(copy + i * stride, words + i * lda, (size_t)length * 2);
                    memset(copy + i * stride + length, 0, (size_t)(stride - length) * 2);
                }
                words = copy;
            }
            for (long first = 0; first < outputs; first += 2 * WIDTH) {
                const long columns = least(2 * WIDTH, outputs - first);
                const int has_two = columns > WIDTH;
                const char *panels = made;
                long step = lines * PAIR_LINE;
                if (weight->layout == KERNEL_PANELS) {
                    step = panel_bytes;
                    panels = (const char *)weight->start + first / WIDTH * panel_bytes + block / 2 * PAIR_LINE;
                } else {
                    for (long panel = 0; panel <= has_two; panel++) {
                        make_panel(
                            weight, first + panel * WIDTH, least(WIDTH, columns - panel * WIDTH), block, length,
                            made + panel * step);
                    }
                }
                for (long i = 0; i < some; i += 32) {
                    const int upper = (int)least(16, some - i);
                    const int lower = (int)(some - i > 16 ? least(16, some - i - 16) : 0);
                    if (shape != upper * 32 + lower) {
                        configure(upper, lower);
                        shape = upper * 32 + lower;
                    }
                    float *place = c + (top + i) * ldc + first;
                    float edge[32 * 2 * WIDTH] __attribute__((aligned(64)));
                    const int is_whole = columns % WIDTH == 0;
                    float *sums = is_whole ? place : edge;
                    const long width = is_whole ? ldc : 2 * WIDTH;
                    if (!is_whole && block > 0) {
                        for (long row = 0; row < upper + lower; row++) {
                            memcpy(edge + row * width, place + row * ldc, (size_t)columns * 4);
                            memset(edge + row * width + columns, 0, (size_t)(width - columns) * 4);
                        }
                    }
                    const char *from = (const char *)(words + i * stride);
                    if (lower && has_two) multiply(from, stride * 2, panels, step, lines, sums, width, block > 0, 1, 1);
                    else if (lower) multiply(from, stride * 2, panels, step, lines, sums, width, block > 0, 1, 0);
                    else if (has_two) multiply(from, stride * 2, panels, step, lines, sums, width, block > 0, 0, 1);
                    else multiply(from, stride * 2, panels, step, lines, sums, width, block > 0, 0, 0);
                    if (!is_whole) {
                        for (long row = 0; row < upper + lower; row++) {
                            memcpy(place + row * ldc, edge + row * width, (size_t)columns * 4);
                        }
                    }
                }
            }
        }
    }
    _tile_release();
}

#else

size_t kernel_amx_copy_bytes(long rows, long inputs) {
    (void)rows, (void)inputs;
    return 0;
}

void kernel_product_amx(
    const uint16_t *a, long lda, long rows, const struct kernel_weight *weight, long outputs, long inputs, float *c,
    long ldc, void *scratch) {
    (void)a, (void)lda, (void)rows, (void)weight, (void)outputs, (void)inputs, (void)c, (void)ldc, (void)scratch;
    __builtin_trap();
}
#endif
