// Times the product's kernels beside oneDNN and beside the processor's own limits, in alternating pairs of one run.
// Scripts/bench --kernels compiles and runs it; it prints markdown, and says where the table in the source is not the
// quickest choice.
//
//   kernels [--threads N] [--pairs N] [--level avx2|avx512|neon] [--shapes all|large|small|decode|none]
#define _GNU_SOURCE
#include "tiles.h"
#include "timing.h"

#include <dlfcn.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#define HAS_ONEDNN 1
#endif

// ---- Limits ----------------------------------------------------------------------------------------------------------

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static double multiply_512(long steps) {
    __m512 sums[12], x = _mm512_set1_ps(0.5f), y = _mm512_set1_ps(0.25f);
    for (int i = 0; i < 12; i++) sums[i] = _mm512_set1_ps((float)i);
    for (long step = 0; step < steps; step++) {
        __asm__ volatile("" : "+v"(x), "+v"(y));
        for (int i = 0; i < 12; i++) sums[i] = _mm512_fmadd_ps(sums[i], x, y);
    }
    for (int i = 1; i < 12; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return (double)_mm512_reduce_add_ps(sums[0]);
}
__attribute__((target("avx2,fma"))) static double multiply_256(long steps) {
    __m256 sums[12], x = _mm256_set1_ps(0.5f), y = _mm256_set1_ps(0.25f);
    for (int i = 0; i < 12; i++) sums[i] = _mm256_set1_ps((float)i);
    for (long step = 0; step < steps; step++) {
        __asm__ volatile("" : "+x"(x), "+x"(y));
        for (int i = 0; i < 12; i++) sums[i] = _mm256_fmadd_ps(sums[i], x, y);
    }
    for (int i = 1; i < 12; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
    float lanes[8];
    _mm256_storeu_ps(lanes, sums[0]);
    return (double)lanes[0];
}
#endif

static int level = KERNEL_PORTABLE;
static volatile double sink;

static void multiply_task(void *context, int task, int thread) {
    (void)task, (void)thread;
    const long steps = *(long *)context;
#if defined(__x86_64__)
    sink = level == KERNEL_AVX512 ? multiply_512(steps) : multiply_256(steps);
#else
    (void)steps;
#endif
}

// Floating-point operations a second of a loop of fused multiply-adds on registers, on all threads, for at least so many
// seconds: on a shared machine a moment says nothing of a second.
static double register_rate(double seconds) {
    long steps = 400000, done = 0;
    const double start = now();
    do {
        run(threads, multiply_task, &steps);
        done += steps;
    } while (now() - start < seconds);
    return (double)threads * (double)done * 12 * 2 * (level == KERNEL_AVX512 ? 16 : 8) / (now() - start);
}

static char *big;
static const long big_bytes = 512l << 20, piece = 1 << 20;

static void read_task(void *context, int task, int thread) {
    (void)context, (void)thread;
    const uint64_t *words = (const uint64_t *)(big + task * piece);
    uint64_t sums[8] = {0};
    for (long i = 0; i < piece / 8; i += 8) {
        __builtin_prefetch(words + i + 256);
        for (int lane = 0; lane < 8; lane++) sums[lane] ^= words[i + lane];
    }
    uint64_t all = 0;
    for (int lane = 0; lane < 8; lane++) all ^= sums[lane];
    sink = (double)all;
}

// Bytes a second that all threads read from memory, for at least so many seconds.
static double read_rate(double seconds) {
    if (!big) {
        big = memory((size_t)big_bytes);
        memset(big, 1, (size_t)big_bytes);
    }
    double bytes = 0;
    const double start = now();
    do {
        run((int)(big_bytes / piece), read_task, 0);
        bytes += (double)big_bytes;
    } while (now() - start < seconds);
    return bytes / (now() - start);
}

// ---- Ours ------------------------------------------------------------------------------------------------------------

struct product {
    long rows, outputs, inputs, tile, chunk;
    struct kernel_weight weight;
    const float *a;
    float *c;
    void *scratch[64];
    float *arranged[64];
};

static void product_task(void *context, int task, int thread) {
    struct product *p = context;
    // Some rows and all outputs, or all rows and some outputs, as the program divides them.
    const long chunks = (p->rows + p->chunk - 1) / p->chunk, row = task % chunks * p->chunk;
    const long rows = p->rows - row < p->chunk ? p->rows - row : p->chunk;
    const long first = task / chunks * p->tile, some = p->outputs - first < p->tile ? p->outputs - first : p->tile;
    struct kernel_weight part = p->weight;
    const long size = part.element == KERNEL_F32 ? 4 : 2;
    if (part.layout == KERNEL_PANELS) {
        part.start = (const char *)part.start + kernel_panel_bytes(first, p->inputs, part.element);
    } else if (part.layout == KERNEL_ROWS) {
        part.start = (const char *)part.start + first * part.stride * size;
    } else {
        part.start = (const char *)part.start + first * size;
    }
    const float *a = p->a + row * p->inputs;
    if (rows > 1) {
        kernel_arrange(a, p->inputs, rows, p->inputs, p->arranged[thread]);
        a = p->arranged[thread];
    }
    kernel_product(
        level, a, rows, &part, some, p->inputs, p->c + row * p->outputs + first, p->outputs, p->scratch[thread]);
}

static void ours(struct product *p) { run(
        (int)((p->outputs + p->tile - 1) / p->tile * ((p->rows + p->chunk - 1) / p->chunk)), product_task, p); }

// ---- oneDNN ----------------------------------------------------------------------------------------------------------

#ifdef HAS_ONEDNN
#define CALL(call)                                                                                                   \
    do {                                                                                                             \
        if ((call) != dnnl_success) fprintf(stderr, "kernels: %s failed\n", #call), exit(1);                         \
    } while (0)
static dnnl_engine_t engine;
static dnnl_stream_t stream;

struct library {
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
};

static dnnl_memory_desc_t description(long rows, long columns, long by_row, long by_column) {
    dnnl_memory_desc_t result;
    dnnl_dims_t sizes = {rows, columns}, strides = {by_row, by_column};
    CALL(dnnl_memory_desc_init_by_strides(&result, 2, sizes, dnnl_f32, strides));
    return result;
}

static struct library prepare(const struct product *p, const float *weight) {
    if (!engine) {
        CALL(dnnl_engine_create(&engine, dnnl_cpu, 0));
        CALL(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    }
    dnnl_memory_desc_t a = description(p->rows, p->inputs, p->inputs, 1);
    dnnl_memory_desc_t c = description(p->rows, p->outputs, p->outputs, 1);
    dnnl_memory_desc_t plain = description(p->inputs, p->outputs, 1, p->inputs), any;
    dnnl_dims_t sizes = {p->inputs, p->outputs};
    CALL(dnnl_memory_desc_init_by_tag(&any, 2, sizes, dnnl_f32, dnnl_format_tag_any));
    dnnl_matmul_desc_t operation;
    CALL(dnnl_matmul_desc_init(&operation, &a, &any, 0, &c));
    dnnl_primitive_desc_t chosen;
    CALL(dnnl_primitive_desc_create(&chosen, &operation, 0, engine, 0));
    const dnnl_memory_desc_t packed = *dnnl_primitive_desc_query_md(chosen, dnnl_query_weights_md, 0);
    struct library result;
    CALL(dnnl_primitive_create(&result.primitive, chosen));
    dnnl_primitive_desc_t reorder_description;
    CALL(dnnl_reorder_primitive_desc_create(&reorder_description, &plain, engine, &packed, engine, 0));
    dnnl_primitive_t reorder;
    CALL(dnnl_primitive_create(&reorder, reorder_description));
    dnnl_memory_t source;
    CALL(dnnl_memory_create(&source, &plain, engine, (void *)weight));
    CALL(dnnl_memory_create(&result.b, &packed, engine, memory(dnnl_memory_desc_get_size(&packed))));
    const dnnl_exec_arg_t moves[] = {{DNNL_ARG_SRC_0, source}, {DNNL_ARG_DST_0, result.b}};
    CALL(dnnl_primitive_execute(reorder, stream, 2, moves));
    CALL(dnnl_stream_wait(stream));
    dnnl_memory_destroy(source), dnnl_primitive_destroy(reorder), dnnl_primitive_desc_destroy(reorder_description);
    CALL(dnnl_memory_create(&result.a, &a, engine, (void *)p->a));
    CALL(dnnl_memory_create(&result.c, &c, engine, p->c));
    dnnl_primitive_desc_destroy(chosen);
    return result;
}

static void theirs(const struct library *library) {
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC_0, library->a}, {DNNL_ARG_WEIGHTS_0, library->b}, {DNNL_ARG_DST_0, library->c}};
    CALL(dnnl_primitive_execute(library->primitive, stream, 3, arguments));
    CALL(dnnl_stream_wait(stream));
}

static void discard(struct library *library) {
    void *b;
    dnnl_memory_get_data_handle(library->b, &b);
    dnnl_memory_destroy(library->a), dnnl_memory_destroy(library->b), dnnl_memory_destroy(library->c);
    dnnl_primitive_destroy(library->primitive);
    free(b);
}

static void set_library_threads(void) {
    void (*set)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set) set(threads);
}
#endif

// ---- The table -------------------------------------------------------------------------------------------------------

static float *random_floats(long count) {
    float *result = memory((size_t)count * 4);
    uint64_t state = 88172645463325252ull;
    for (long i = 0; i < count; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        result[i] = (float)((int64_t)(state >> 40) - (1 << 23)) / (float)(1 << 23);
    }
    return result;
}

static const char *const layouts[] = {"rows", "columns", "panels"};
static const char *const elements[] = {"f32", "bf16", "f16"};

static void measure(long rows, long outputs, long inputs, int element, int layout, int pairs) {
    struct product p = {.rows = rows, .outputs = outputs, .inputs = inputs};
    const long tiles = 2 * ((outputs + 383) / 384);
    p.tile = ((outputs + tiles - 1) / tiles + 15) / 16 * 16;
    p.chunk = rows;
    const long step = layout == KERNEL_PANELS ? 144 : 288;
    const long most = threads == 1 ? 1 : layout == KERNEL_PANELS ? 2 * threads : threads;
    long chunks = (rows + step - 1) / step;
    if (chunks < most) chunks = most;
    if (chunks > rows / 64) chunks = rows / 64;
    if (chunks >= most) p.tile = outputs, p.chunk = (rows + chunks - 1) / chunks;
    float *values = random_floats(outputs * inputs);
    p.a = random_floats(rows * inputs);
    p.c = memory((size_t)(rows * outputs) * 4);
    memset(p.c, 0, (size_t)(rows * outputs) * 4);
    for (int thread = 0; thread < threads; thread++) {
        p.scratch[thread] = memory(kernel_scratch_bytes(rows, inputs));
        p.arranged[thread] = memory(kernel_arranged_bytes(rows, inputs));
    }
    void *stored = values;
    if (element != KERNEL_F32) {
        uint16_t *words = stored = memory((size_t)(outputs * inputs) * 2);
        for (long i = 0; i < outputs * inputs; i++) words[i] = (uint16_t)(0x3000 + i * 37 % 0x0C00);
    }
    p.weight = (struct kernel_weight){stored, layout == KERNEL_COLUMNS ? outputs : inputs, element, layout};
    void *packed = 0;
    if (layout == KERNEL_PANELS) {
        packed = memory(kernel_panel_bytes(outputs, inputs, element));
        const struct kernel_weight plain = {stored, inputs, element, KERNEL_ROWS};
        kernel_pack(level, &plain, outputs, inputs, packed);
        p.weight.start = packed;
    }
    const double operations = 2.0 * (double)rows * (double)outputs * (double)inputs;
    // A short product is repeated, so that the clock has something to measure.
    ours(&p);
    double start = now();
    ours(&p);
    int repeats = 1;
    for (const double once = now() - start; repeats < 4096 && once * repeats < 4e-3;) repeats *= 2;
    const double bytes = (double)outputs * (double)inputs * (element == KERNEL_F32 ? 4 : 2);
    double mine[64], other[64], ratios[64], limits[64], reads[64];
#ifdef HAS_ONEDNN
    struct library library = prepare(&p, values);
    theirs(&library);
#endif
    for (int pair = 0; pair < pairs; pair++) {
        start = now();
        for (int i = 0; i < repeats; i++) ours(&p);
        const double taken = now() - start;
        mine[pair] = operations * repeats / taken;
        limits[pair] = mine[pair] / register_rate(taken);
        if (rows <= 16) reads[pair] = bytes * mine[pair] / operations / read_rate(taken);
#ifdef HAS_ONEDNN
        start = now();
        for (int i = 0; i < repeats; i++) theirs(&library);
        other[pair] = operations * repeats / (now() - start);
        ratios[pair] = mine[pair] / other[pair];
#endif
    }
    const double rate = median(mine, pairs);
    printf(
        "| %5ld x %5ld x %5ld | %-4s | %-7s | %7.1f | %3.0f %% ", rows, inputs, outputs, elements[element],
        layouts[layout], rate * 1e-9, 100 * median(limits, pairs));
    if (rows <= 16) printf("| %4.1f GB/s, %3.0f %% ", bytes * rate / operations * 1e-9, 100 * median(reads, pairs));
    else printf("| ");
#ifdef HAS_ONEDNN
    printf("| %7.1f | ", median(other, pairs) * 1e-9);
    const double ratio = median(ratios, pairs);
    printf("%.2f (%.2f, %.2f) |\n", ratio, ratios[0], ratios[pairs - 1]);
    discard(&library);
#else
    (void)other, (void)ratios;
    printf("| | |\n");
#endif
    fflush(stdout);
    free(values), free((void *)p.a), free(p.c), free(packed);
    if (stored != (void *)values) free(stored);
    for (int thread = 0; thread < threads; thread++) free(p.scratch[thread]), free(p.arranged[thread]);
}

// ---- The table of tiles ----------------------------------------------------------------------------------------------

static const struct level *level_structure(void) {
#if defined(__x86_64__)
    return level == KERNEL_AVX512 ? &kernel_avx512_level : level == KERNEL_AVX2 ? &kernel_avx2_level : 0;
#elif defined(__aarch64__)
    return &kernel_neon_level;
#else
    return 0;
#endif
}

// How many panels a tile of so many rows should have: each choice on the same product of 192 outputs in the second
// cache, in turn. The source's choice is marked where another one is more than a tenth faster.
static void check_table(int pairs) {
    const struct level *structure = level_structure();
    if (!structure) return;
    const long panels = 12;
    float *a = random_floats(MOST_ROWS * STRIDE), *b = random_floats(panels * WIDTH * BLOCK);
    float *c = memory(MOST_ROWS * panels * WIDTH * 4);
    printf("\n| rows of a tile | 1 panel | 2 panels | 4 panels | in the source |\n| ---: | ---: | ---: | ---: | --- |\n");
    for (int rows = 1; rows <= structure->rows; rows++) {
        double rates[3][64], medians[3] = {0, 0, 0};
        for (int pair = 0; pair < pairs; pair++) {
            for (int choice = 0; choice < 3; choice++) {
                tile_function *tile = structure->tiles[KERNEL_F32][choice][rows];
                if (!tile) continue;
                const int broad = choice == 2 ? 4 : choice + 1, repeats = 400;
                const double start = now();
                for (int i = 0; i < repeats; i++) {
                    for (long panel = 0; panel < panels; panel += broad) {
                        const char *from = (const char *)(b + panel * WIDTH * BLOCK);
                        tile(
                            a, from, WIDTH * BLOCK * 4, 64, BLOCK, c + panel * WIDTH, panels * WIDTH, 1, broad * WIDTH,
                            from, 0, 0);
                    }
                }
                rates[choice][pair] = 2.0 * rows * panels * WIDTH * BLOCK * repeats / (now() - start);
            }
        }
        const int chosen = structure->panels[rows] == 4 ? 2 : structure->panels[rows] - 1;
        int quickest = chosen;
        printf("| %d ", rows);
        for (int choice = 0; choice < 3; choice++) {
            if (!structure->tiles[KERNEL_F32][choice][rows]) {
                printf("| ");
                continue;
            }
            medians[choice] = median(rates[choice], pairs);
            printf("| %.1f ", medians[choice] * 1e-9);
            if (medians[choice] > 1.1 * medians[quickest]) quickest = choice;
        }
        printf("| %d%s |\n", structure->panels[rows], quickest == chosen ? "" : ", another is faster here");
    }
    free(a), free(b), free(c);
}

int main(int count, char **words) {
    int pairs = 9;
    const char *wanted = 0, *shapes = "all";
    static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
    for (int i = 1; i + 1 < count; i += 2) {
        if (!strcmp(words[i], "--threads")) threads = atoi(words[i + 1]);
        else if (!strcmp(words[i], "--pairs")) pairs = atoi(words[i + 1]);
        else if (!strcmp(words[i], "--level")) wanted = words[i + 1];
        else if (!strcmp(words[i], "--shapes")) shapes = words[i + 1];
        else {
            fprintf(stderr, "kernels: unknown option %s\n", words[i]);
            return 2;
        }
    }
    if (threads < 1 || threads > 64 || pairs < 1 || pairs > 64) {
        fprintf(stderr, "kernels: --threads and --pairs take 1 to 64\n");
        return 2;
    }
    for (int i = 0; i < 4; i++) {
        if (wanted ? !strcmp(wanted, names[i]) : kernel_has(i)) level = i;
    }
    if (!kernel_has(level) || (wanted && strcmp(wanted, names[level]))) {
        fprintf(stderr, "kernels: this processor has no %s\n", wanted);
        return 2;
    }
    if (level == KERNEL_PORTABLE) {
        fprintf(stderr, "kernels: the portable level is there to compare bits with, not to be timed\n");
        return 2;
    }
    for (long i = 1; i < threads; i++) {
        pthread_t thread;
        pthread_create(&thread, 0, serve, (void *)i);
    }
#ifdef HAS_ONEDNN
    set_library_threads();
#endif
    printf(
        "level %s, %d threads, %d alternating pairs; a loop of fused multiply-adds %.0f GFLOP/s, reading %.1f GB/s\n\n",
        names[level], threads, pairs, register_rate(0.5) * 1e-9, read_rate(0.5) * 1e-9);
    printf("| rows x inputs x outputs | weight | layout | GFLOP/s | of the loop | reading | oneDNN | ratio |\n");
    printf("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n");
    const int all = !strcmp(shapes, "all");
    if (all || !strcmp(shapes, "large")) {
        measure(512, 11008, 4096, KERNEL_F32, KERNEL_PANELS, pairs);
        measure(512, 11008, 4096, KERNEL_F32, KERNEL_ROWS, pairs);
        measure(2048, 1536, 576, KERNEL_F32, KERNEL_PANELS, pairs);
        measure(2048, 2048, 2048, KERNEL_F32, KERNEL_PANELS, pairs);
    }
    if (all || !strcmp(shapes, "small")) {
        measure(512, 576, 576, KERNEL_F32, KERNEL_PANELS, pairs);
        measure(512, 1536, 576, KERNEL_F32, KERNEL_PANELS, pairs);
        measure(512, 576, 1536, KERNEL_F32, KERNEL_PANELS, pairs);
        measure(512, 1536, 576, KERNEL_F32, KERNEL_ROWS, pairs);
        measure(512, 1536, 576, KERNEL_BF16, KERNEL_PANELS, pairs);
        measure(512, 512, 576, KERNEL_F32, KERNEL_ROWS, pairs);
        measure(192, 192, 64, KERNEL_F32, KERNEL_ROWS, pairs);
        measure(192, 64, 192, KERNEL_F32, KERNEL_COLUMNS, pairs);
        measure(64, 1536, 576, KERNEL_F32, KERNEL_PANELS, pairs);
        measure(24, 1536, 576, KERNEL_F32, KERNEL_PANELS, pairs);
        measure(8, 1536, 576, KERNEL_F32, KERNEL_PANELS, pairs);
    }
    if (all || !strcmp(shapes, "decode")) {
        for (int element = 0; element < 3; element++) {
            for (int layout = 0; layout < 3; layout++) measure(1, 49152, 576, element, layout, pairs);
        }
        for (int layout = 0; layout < 3; layout++) measure(1, 11008, 4096, KERNEL_F32, layout, pairs);
        measure(8, 49152, 576, KERNEL_F32, KERNEL_ROWS, pairs);
        measure(8, 49152, 576, KERNEL_BF16, KERNEL_ROWS, pairs);
        measure(8, 49152, 576, KERNEL_F32, KERNEL_PANELS, pairs);
    }
    check_table(pairs);
    return 0;
}
