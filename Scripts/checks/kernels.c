// Checks every element of products against the definition of its sum, bit for bit: 40 shapes, weights of f32, bf16 and
// f16 in every layout, 1 row to all, alone and beside others. Prints a hash of what the definition gives, which must be
// the same on every machine.
//
//   kernels LEVEL [quick|brief]     LEVEL: portable, avx2, avx512, neon, amx; brief is for emulated processors
#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252ull;

// A multiple of 2^-22 from -4 to 4.
static float next(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (float)((int64_t)(state >> 40) - (1 << 23)) / (float)(1 << 21);
}

static float from_bits(uint32_t bits) {
    float result;
    memcpy(&result, &bits, 4);
    return result;
}

static uint32_t to_bits(float value) {
    uint32_t result;
    memcpy(&result, &value, 4);
    return result;
}

static float from_half(uint16_t word) {
    const int exponent = word >> 10 & 31;
    const float fraction = (float)(word & 1023) / 1024;
    const float magnitude = exponent ? ldexpf(1 + fraction, exponent - 15) : ldexpf(fraction, -14);
    return word & 0x8000 ? -magnitude : magnitude;
}

// The sum that a product is defined by: chains of fused multiply-adds over 256 inputs each.
static float chain(const float *a, const float *w, long inputs) {
    float sum = 0;
    for (long block = 0; block < inputs; block += 256) {
        float part = 0;
        for (long x = block; x < inputs && x < block + 256; x++) part = fmaf(a[x], w[x], part);
        sum = block ? sum + part : part;
    }
    return sum;
}

// The sum of the matrix unit: over 32 inputs the even and the odd ones apart, then both, then to the sum.
static float pairs(const float *a, const float *w, long inputs) {
    float sum = 0;
    for (long block = 0; block < inputs; block += 32) {
        float even = 0, odd = 0;
        for (long x = block; x < block + 32; x += 2) {
            if (x < inputs) even = fmaf(a[x], w[x], even);
            if (x + 1 < inputs) odd = fmaf(a[x + 1], w[x + 1], odd);
        }
        sum += even + odd;
    }
    return sum;
}

static void *memory(size_t bytes) {
    void *result = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!result) {
        fprintf(stderr, "kernels: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return result;
}

// rows, outputs, inputs: odd sizes, and each side of every edge: 8, 14, 16, 32, 64 and 256.
static const long shapes[40][3] = {
    {70, 200, 300}, {70, 16, 64}, {33, 17, 63}, {64, 576, 576}, {7, 33, 1}, {14, 15, 2}, {15, 64, 255}, {28, 65, 256},
    {29, 63, 257}, {6, 192, 512}, {12, 144, 513}, {13, 1, 1041}, {1, 1, 1}, {2, 31, 31}, {3, 48, 32}, {5, 80, 33},
    {70, 96, 576}, {40, 100, 31}, {31, 112, 1536}, {32, 128, 64}, {70, 47, 95}, {16, 49, 96}, {17, 50, 97}, {8, 255, 128},
    {9, 256, 129}, {10, 257, 127}, {11, 3, 777}, {4, 5, 4096}, {70, 64, 65}, {64, 32, 500}, {65, 8, 1000}, {63, 7, 1025},
    {36, 161, 40}, {43, 79, 20}, {50, 81, 300}, {57, 95, 12}, {290, 33, 300}, {512, 48, 64}, {2048, 17, 70}, {300, 64, 520},
};

static const char *const levels[] = {"portable", "avx2", "avx512", "neon"};

int main(int count, char **words) {
    const char *name = count > 1 ? words[1] : "portable";
    const int is_brief = count > 2 && !strcmp(words[2], "brief");
    const int is_quick = count > 2 && !strcmp(words[2], "quick");
    int level = -1;
    const int is_amx = !strcmp(name, "amx");
    for (int i = 0; i < 4; i++) {
        if (!strcmp(name, levels[i])) level = i;
    }
#ifndef EMULATED
    if (is_amx ? !kernel_has_amx() : level < 0 || !kernel_has(level)) {
        printf("%s: this processor has none\n", name);
        return 3;
    }
#endif
    uint64_t hash = 14695981039346656037ull;
    long compared = 0, wrong = 0;
    for (int shape = 0; shape < 40; shape += is_quick ? 3 : 1) {
        const long rows = shapes[shape][0], outputs = shapes[shape][1], inputs = shapes[shape][2];
        if (is_brief && rows * outputs * inputs > 1000000) continue;
        float *a = memory((size_t)(rows * inputs) * 4), *w = memory((size_t)(outputs * inputs) * 4);
        float *turned = memory((size_t)(outputs * inputs) * 4), *wanted = memory((size_t)(rows * outputs) * 4);
        float *c = memory((size_t)(rows * outputs) * 4);
        uint16_t *half = memory((size_t)(outputs * inputs) * 2), *half_turned = memory((size_t)(outputs * inputs) * 2);
        uint16_t *a_words = memory((size_t)(rows * inputs) * 2);
        void *scratch = memory(kernel_scratch_bytes(rows, inputs));
        float *arranged = memory(kernel_arranged_bytes(rows, inputs));
        for (long i = 0; i < rows * inputs; i++) {
            a[i] = next();
            if (is_amx) a[i] = from_bits(to_bits(a[i]) & 0xFFFF0000u), a_words[i] = (uint16_t)(to_bits(a[i]) >> 16);
        }
        for (int element = 0; element < 3; element++) {
            if (is_amx && element != KERNEL_BF16) continue;
            for (long i = 0; i < outputs * inputs; i++) {
                w[i] = next() / 8;
                if (element == KERNEL_BF16) half[i] = (uint16_t)(to_bits(w[i]) >> 16), w[i] = from_bits((uint32_t)half[i] << 16);
                // Subnormal halves too.
                if (element == KERNEL_F16) {
                    half[i] = (uint16_t)((i % 11 ? 0x3000 + i * 37 % 0x0C00 : i % 1024) | (i % 3 ? 0 : 0x8000));
                    w[i] = from_half(half[i]);
                }
            }
            for (long j = 0; j < outputs; j++) {
                for (long x = 0; x < inputs; x++) {
                    turned[x * outputs + j] = w[j * inputs + x], half_turned[x * outputs + j] = half[j * inputs + x];
                }
            }
            for (long i = 0; i < rows; i++) {
                for (long j = 0; j < outputs; j++) {
                    const float sum = (is_amx ? pairs : chain)(a + i * inputs, w + j * inputs, inputs);
                    wanted[i * outputs + j] = sum;
                    hash = (hash ^ to_bits(sum)) * 1099511628211ull;
                }
            }
            const void *stored = element ? (void *)half : w, *columns = element ? (void *)half_turned : turned;
            const struct kernel_weight plain = {stored, inputs, element, KERNEL_ROWS};
            const struct kernel_weight other = {columns, outputs, element, KERNEL_COLUMNS};
            const struct kernel_weight wide = {w, inputs, KERNEL_F32, KERNEL_ROWS};
            void *packed = memory(kernel_panel_bytes(outputs, inputs, element));
            void *packed_too = memory(kernel_panel_bytes(outputs, inputs, element));
            void *packed_wide = memory(kernel_panel_bytes(outputs, inputs, KERNEL_F32));
            const int packer = is_amx ? KERNEL_AVX512 : level;
            kernel_pack(packer, &plain, outputs, inputs, packed);
            kernel_pack(packer, &other, outputs, inputs, packed_too);
            kernel_pack(packer, &wide, outputs, inputs, packed_wide);
            if (memcmp(packed, packed_too, kernel_panel_bytes(outputs, inputs, element))) {
                printf("%ld x %ld: panels of rows and of columns differ\n", outputs, inputs);
                wrong++;
            }
            const struct kernel_weight weights[] = {
                plain, other, {packed, 0, element, KERNEL_PANELS}, {packed_wide, 0, KERNEL_F32, KERNEL_PANELS}};
            for (int layout = 0; layout < (is_amx ? 3 : 4); layout++) {
                for (long some = 1; some <= rows; some += some < 70 ? is_brief ? 5 : 1 : rows - 70 > some ? rows - 70 : rows) {
                    for (long first = 0; first + some <= rows; first += some < 8 ? 29 : some < 70 ? 41 : 300) {
                        memset(c, 0xFF, (size_t)(rows * outputs) * 4);
                        if (is_amx) {
                            kernel_product_amx(
                                a_words + first * inputs, inputs, some, &weights[layout], outputs, inputs, c, outputs,
                                scratch);
                        } else {
                            const float *ready = a + first * inputs;
                            if (some > 1) kernel_arrange(ready, inputs, some, inputs, arranged), ready = arranged;
                            const int ran = kernel_product(
                                level, ready, some, &weights[layout], outputs, inputs, c, outputs, scratch);
                            if (ran != level) {
                                printf("%s: another level ran\n", name);
                                return 1;
                            }
                        }
                        compared++;
                        if (memcmp(c, wanted + first * outputs, (size_t)(some * outputs) * 4)) {
                            if (wrong++ < 10) {
                                printf(
                                    "%s differs: rows %ld from %ld of %ld, %ld outputs, %ld inputs, element %d, layout %d\n",
                                    name, some, first, rows, outputs, inputs, element, layout);
                            }
                        }
                        if (to_bits(c[rows * outputs - 1]) != 0xFFFFFFFFu && some < rows) {
                            printf("%s writes beyond its rows\n", name);
                            return 1;
                        }
                    }
                }
            }
            free(packed), free(packed_too), free(packed_wide);
        }
        free(a), free(w), free(turned), free(wanted), free(c), free(half), free(half_turned), free(a_words), free(scratch), free(arranged);
    }
    printf("%-8s %ld products, %ld wrong, hash %016llx\n", name, compared, wrong, (unsigned long long)hash);
    return wrong != 0;
}
