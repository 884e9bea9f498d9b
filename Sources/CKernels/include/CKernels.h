// The matrix product C = A W' with one order of summation, whatever stands beside a row or an output.
//
// Every element of C is p0 + p1 + ..., added in this order, where pj is the sum over inputs 256 j to 256 j + 255 as one
// chain of fused multiply-adds from zero. The order depends on the number of inputs alone: not on the rows and outputs
// beside it, on the threads, on how W lies in memory, or on the processor. So all levels give the same bits. Only
// `kernel_product_amx` has an order of its own, which the processor's matrix unit sets.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Instruction sets, each with its own inner loops. KERNEL_PORTABLE runs everywhere, and slowly.
enum kernel_level { KERNEL_PORTABLE = 0, KERNEL_AVX2 = 1, KERNEL_AVX512 = 2, KERNEL_NEON = 3 };

// How an element of W is stored. Elements of 16 bits are widened exactly in the kernel.
enum kernel_element { KERNEL_F32 = 0, KERNEL_BF16 = 1, KERNEL_F16 = 2 };

// How W lies in memory.
enum kernel_layout {
    KERNEL_ROWS = 0,     // [outputs, stride], as a linear layer stores it
    KERNEL_COLUMNS = 1,  // [inputs, stride], as GPT-2 stores it
    KERNEL_PANELS = 2,   // as kernel_pack lays it out; the stride is not used
};

struct kernel_weight {
    const void *start;
    long stride;
    int element;
    int layout;
};

// Whether this processor, and the system it runs, can execute a level.
int kernel_has(int level);

// Whether kernel_product_amx can run; the first call asks the system for the unit.
int kernel_has_amx(void);

// Bytes of the panels of a weight.
size_t kernel_panel_bytes(long outputs, long inputs, int element);

// Lays a weight out in panels of 16 outputs, 64-byte aligned: [inputs][16], or pairs of inputs for bf16.
void kernel_pack(int level, const struct kernel_weight *weight, long outputs, long inputs, void *panels);

// Bytes of scratch that a product of at most this size needs, 64-byte aligned.
size_t kernel_scratch_bytes(long rows, long inputs);

// Bytes of arranged rows of A, 64-byte aligned.
size_t kernel_arranged_bytes(long rows, long inputs);

// Lays rows of A, lda apart, out as products read them: [blocks of 256 inputs][rows][272]. One arrangement serves any
// number of weights. A single row is read as it is.
void kernel_arrange(const float *a, long lda, long rows, long inputs, float *arranged);

// C = A W'. a: arranged rows, or one row. c: rows of `outputs` floats, ldc apart; overwritten. Returns the level whose
// loops ran.
int kernel_product(
    int level, const float *a, long rows, const struct kernel_weight *weight, long outputs, long inputs, float *c,
    long ldc, void *scratch);

// As kernel_product, for operands that are both bf16, with sums in f32 in the order of the matrix unit. a: rows of bf16
// words, lda apart.
void kernel_product_amx(
    const uint16_t *a, long lda, long rows, const struct kernel_weight *weight, long outputs, long inputs, float *c,
    long ldc, void *scratch);
