// AVX-512 and AMX in plain C and AVX2, so that their kernels can be run on processors without them: included before
// avx512.c and amx.c, it takes the place of the intrinsics that they use. Each does what Intel's manual says of the
// instruction; speed does not matter here.
#pragma once

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

// Attributes that would let the compiler use what the processor lacks.
#define target(...)

struct wide {
    float lanes[16];
};
struct wide_words {
    uint32_t lanes[16];
};
#define __m512 struct wide
#define __m512i struct wide_words

static inline struct wide wide_set1(float value) {
    struct wide result;
    for (int i = 0; i < 16; i++) result.lanes[i] = value;
    return result;
}

static inline struct wide wide_load(uint16_t mask, const void *place) {
    struct wide result;
    for (int i = 0; i < 16; i++) {
        result.lanes[i] = 0;
        if (mask >> i & 1) memcpy(result.lanes + i, (const float *)place + i, 4);
    }
    return result;
}

static inline void wide_store(void *place, uint16_t mask, struct wide value) {
    for (int i = 0; i < 16; i++) {
        if (mask >> i & 1) memcpy((float *)place + i, value.lanes + i, 4);
    }
}

static inline struct wide wide_fmadd(struct wide a, struct wide b, struct wide c) {
    for (int i = 0; i < 16; i++) c.lanes[i] = fmaf(a.lanes[i], b.lanes[i], c.lanes[i]);
    return c;
}

static inline struct wide wide_add(struct wide a, struct wide b) {
    for (int i = 0; i < 16; i++) a.lanes[i] += b.lanes[i];
    return a;
}

static inline struct wide_words words_load(const void *place) {
    struct wide_words result;
    memcpy(&result, place, 64);
    return result;
}

static inline struct wide_words words_set1(int value) {
    struct wide_words result;
    for (int i = 0; i < 16; i++) result.lanes[i] = (uint32_t)value;
    return result;
}

static inline struct wide_words words_shift(struct wide_words a, int count) {
    for (int i = 0; i < 16; i++) a.lanes[i] <<= count;
    return a;
}

static inline struct wide_words words_and(struct wide_words a, struct wide_words b) {
    for (int i = 0; i < 16; i++) a.lanes[i] &= b.lanes[i];
    return a;
}

static inline struct wide words_as_floats(struct wide_words a) {
    struct wide result;
    memcpy(&result, &a, 64);
    return result;
}

static inline struct wide wide_from_halves(__m256i halves) {
    struct wide result;
    _mm256_storeu_ps(result.lanes, _mm256_cvtph_ps(_mm256_castsi256_si128(halves)));
    _mm256_storeu_ps(result.lanes + 8, _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1)));
    return result;
}

// Within each quarter of four lanes: two of a, two of b.
static inline struct wide wide_shuffle(struct wide a, struct wide b, int chosen) {
    struct wide result;
    for (int q = 0; q < 16; q += 4) {
        result.lanes[q] = a.lanes[q + (chosen & 3)];
        result.lanes[q + 1] = a.lanes[q + (chosen >> 2 & 3)];
        result.lanes[q + 2] = b.lanes[q + (chosen >> 4 & 3)];
        result.lanes[q + 3] = b.lanes[q + (chosen >> 6 & 3)];
    }
    return result;
}

static inline struct wide wide_unpack(struct wide a, struct wide b, int first) {
    struct wide result;
    for (int q = 0; q < 16; q += 4) {
        result.lanes[q] = a.lanes[q + first];
        result.lanes[q + 1] = b.lanes[q + first];
        result.lanes[q + 2] = a.lanes[q + first + 1];
        result.lanes[q + 3] = b.lanes[q + first + 1];
    }
    return result;
}

// Whole quarters: two of a, two of b.
static inline struct wide wide_shuffle_quarters(struct wide a, struct wide b, int chosen) {
    struct wide result;
    for (int q = 0; q < 4; q++) {
        const float *source = (q < 2 ? a.lanes : b.lanes) + 4 * (chosen >> 2 * q & 3);
        memcpy(result.lanes + 4 * q, source, 16);
    }
    return result;
}

#define _mm512_setzero_ps() wide_set1(0)
#define _mm512_set1_ps(value) wide_set1(value)
#define _mm512_loadu_ps(place) wide_load(0xFFFF, place)
#define _mm512_maskz_loadu_ps(mask, place) wide_load(mask, place)
#define _mm512_store_ps(place, value) wide_store(place, 0xFFFF, value)
#define _mm512_mask_storeu_ps(place, mask, value) wide_store(place, mask, value)
#define _mm512_fmadd_ps(a, b, c) wide_fmadd(a, b, c)
#define _mm512_add_ps(a, b) wide_add(a, b)
#define _mm512_loadu_si512(place) words_load(place)
#define _mm512_set1_epi32(value) words_set1(value)
#define _mm512_slli_epi32(a, count) words_shift(a, count)
#define _mm512_and_si512(a, b) words_and(a, b)
#define _mm512_castsi512_ps(a) words_as_floats(a)
#define _mm512_cvtph_ps(halves) wide_from_halves(halves)
#define _mm512_unpacklo_ps(a, b) wide_unpack(a, b, 0)
#define _mm512_unpackhi_ps(a, b) wide_unpack(a, b, 2)
#undef _mm512_shuffle_ps
#define _mm512_shuffle_ps(a, b, chosen) wide_shuffle(a, b, chosen)
#undef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4(a, b, chosen) wide_shuffle_quarters(a, b, chosen)

// ---- The matrix unit: eight tiles of at most 16 rows of 64 bytes ------------------------------------------------------

struct tile_shape {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
};
static struct tile_shape emulated_shape;
static uint32_t emulated_tiles[8][16][16];

static inline void emulated_configure(const void *shape) {
    memcpy(&emulated_shape, shape, sizeof emulated_shape);
    memset(emulated_tiles, 0, sizeof emulated_tiles);
}

static inline void emulated_load(int tile, const void *base, long stride) {
    memset(emulated_tiles[tile], 0, sizeof emulated_tiles[tile]);
    for (int row = 0; row < emulated_shape.rows[tile]; row++) {
        memcpy(emulated_tiles[tile][row], (const char *)base + row * stride, emulated_shape.bytes[tile]);
    }
}

static inline void emulated_store(int tile, void *base, long stride) {
    for (int row = 0; row < emulated_shape.rows[tile]; row++) {
        memcpy((char *)base + row * stride, emulated_tiles[tile][row], emulated_shape.bytes[tile]);
    }
}

static inline float emulated_half(uint32_t pair, int odd) {
    const uint32_t bits = odd ? pair & 0xFFFF0000u : pair << 16;
    float result;
    memcpy(&result, &bits, 4);
    return result;
}

// TDPBF16PS: pairs of products are added up apart over the tile's inputs, then together, then to the sum.
static inline void emulated_multiply(int sums, int a, int b) {
    for (int row = 0; row < emulated_shape.rows[sums]; row++) {
        for (int n = 0; n < emulated_shape.bytes[sums] / 4; n++) {
            float even = 0, odd = 0, sum;
            for (int k = 0; k < emulated_shape.bytes[a] / 4; k++) {
                const uint32_t left = emulated_tiles[a][row][k], right = emulated_tiles[b][k][n];
                even = fmaf(emulated_half(left, 0), emulated_half(right, 0), even);
                odd = fmaf(emulated_half(left, 1), emulated_half(right, 1), odd);
            }
            memcpy(&sum, &emulated_tiles[sums][row][n], 4);
            sum += even + odd;
            memcpy(&emulated_tiles[sums][row][n], &sum, 4);
        }
    }
}

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#define _tile_loadconfig(shape) emulated_configure(shape)
#define _tile_loadd(tile, base, stride) emulated_load(tile, base, stride)
#define _tile_stored(tile, base, stride) emulated_store(tile, base, stride)
#define _tile_zero(tile) memset(emulated_tiles[tile], 0, sizeof emulated_tiles[tile])
#define _tile_dpbf16ps(sums, a, b) emulated_multiply(sums, a, b)
#define _tile_release() ((void)0)
