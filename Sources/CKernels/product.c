// The loops of the product, which all levels share.
#include "tiles.h"

#include <string.h>

static const struct level *level_of(int level) {
    switch (level) {
#if defined(__x86_64__)
    case KERNEL_AVX2: return &kernel_avx2_level;
    case KERNEL_AVX512: return &kernel_avx512_level;
#endif
#if defined(__aarch64__)
    case KERNEL_NEON: return &kernel_neon_level;
#endif
    default: return &kernel_portable_level;
    }
}

// Bytes from one line of a panel to the next: an input, or a pair of them in bf16.
static long line_bytes(int element) { return element == KERNEL_F16 ? 32 : 64; }

// bf16 panels end with whole tiles of the matrix unit, 32 inputs.
static long panel_lines(long inputs, int element) {
    return element == KERNEL_BF16 ? divide_up(inputs, 32) * 16 : inputs;
}

static long panel_bytes(long inputs, int element) { return panel_lines(inputs, element) * line_bytes(element); }

size_t kernel_panel_bytes(long outputs, long inputs, int element) {
    return (size_t)(divide_up(outputs, WIDTH) * panel_bytes(inputs, element));
}

static long element_bytes(int element) { return element == KERNEL_F32 ? 4 : 2; }

// A panel of f16 words: [inputs][16]. Kept as stored, since they are widened as they are read.
static void turn_halves(const char *rows, long stride, long outputs, long count, uint16_t *panel) {
    for (long x = 0; x < count; x++) {
        for (long j = 0; j < WIDTH; j++) {
            uint16_t word = 0;
            if (j < outputs) memcpy(&word, rows + j * stride + x * 2, 2);
            panel[x * WIDTH + j] = word;
        }
    }
}

// A panel of columns that lie side by side, in the same form as the transposed ones.
static void gather_columns(
    const char *columns, long stride, int element, long outputs, long count, char *panel, int widens) {
    const long size = element_bytes(element);
    for (long x = 0; x < count; x++) {
        const char *line = columns + x * stride * size;
        if (element == KERNEL_F32) {
            float *place = (float *)(panel + x * 64);
            memcpy(place, line, (size_t)outputs * 4);
            for (long j = outputs; j < WIDTH; j++) place[j] = 0;
            continue;
        }
        const uint16_t *words = (const uint16_t *)line;
        for (long j = 0; j < WIDTH; j++) {
            uint16_t word = 0;
            if (j < outputs) memcpy(&word, words + j, 2);
            if (widens) ((float *)panel)[x * WIDTH + j] = widened(word, element);
            else if (element == KERNEL_F16) ((uint16_t *)panel)[x * WIDTH + j] = word;
            else ((uint16_t *)panel)[(x / 2 * WIDTH + j) * 2 + x % 2] = word;
        }
    }
}

void kernel_pack(int number, const struct kernel_weight *weight, long outputs, long inputs, void *panels) {
    const struct level *level = level_of(number);
    const int element = weight->element;
    const long size = element_bytes(element), bytes = panel_bytes(inputs, element);
    for (long first = 0; first < outputs; first += WIDTH) {
        char *panel = (char *)panels + first / WIDTH * bytes;
        const long some = least(WIDTH, outputs - first);
        // What lies behind the last input, which the matrix unit reads.
        const long used = element == KERNEL_BF16 ? inputs / 2 : inputs;
        memset(panel + used * line_bytes(element), 0, (size_t)(bytes - used * line_bytes(element)));
        if (weight->layout == KERNEL_COLUMNS) {
            const char *columns = (const char *)weight->start + first * size;
            gather_columns(columns, weight->stride, element, some, inputs, panel, 0);
        } else {
            const char *rows = (const char *)weight->start + first * weight->stride * size;
            if (element == KERNEL_F16) turn_halves(rows, weight->stride * size, some, inputs, (uint16_t *)panel);
            else level->transpose(rows, weight->stride * size, element, some, inputs, panel);
        }
    }
}

static const long made_bytes = MOST_PANELS * WIDTH * BLOCK * 4;

size_t kernel_scratch_bytes(long rows, long inputs) {
    return (size_t)made_bytes + kernel_amx_copy_bytes(rows, inputs);
}

size_t kernel_arranged_bytes(long rows, long inputs) { return (size_t)(divide_up(inputs, BLOCK) * rows * STRIDE * 4); }

void kernel_arrange(const float *a, long lda, long rows, long inputs, float *arranged) {
    for (long block = 0; block < inputs; block += BLOCK) {
        const size_t bytes = (size_t)least(BLOCK, inputs - block) * 4;
        for (long i = 0; i < rows; i++) memcpy(arranged + i * STRIDE, a + i * lda + block, bytes);
        arranged += rows * STRIDE;
    }
}

struct task {
    const struct level *level;
    const struct kernel_weight *weight;
    const float *a;  // arranged, or one row
    long rows, outputs, inputs;
    float *c;
    long ldc;
    char *made;  // panels that are made on the way
};

// The rows of A from `top` on, in the block of inputs that begins at `block`.
INLINE const float *rows_of(const struct task *task, long top, long block) {
    return task->rows == 1 ? task->a + block : task->a + (block / BLOCK * task->rows + top) * STRIDE;
}

// Where the panels of one block lie, ready for the tiles of an element.
struct source {
    const char *start;
    long step, line;
    int element;
    // What many rows fetch meanwhile, so that the panels after these are in a cache when they are read: each tile its
    // share of the panels from `next` on; where next_step is not 0, one row of a weight that lies in rows.
    const char *next;
    long next_step;
};

// `count` panels from output `first` on, inputs from `block` on: as they are stored, or made in scratch.
static struct source panels(
    const struct task *task, long first, int count, long block, long length, int reads16) {
    const struct kernel_weight *weight = task->weight;
    const int element = weight->element;
    const long size = element_bytes(element);
    if (weight->layout == KERNEL_PANELS) {
        const long bytes = panel_bytes(task->inputs, element);
        const long line = line_bytes(element);
        const char *start = (const char *)weight->start + first / WIDTH * bytes
            + (element == KERNEL_BF16 ? block / 2 : block) * line;
        if (element == KERNEL_F32 || reads16) {
            return (struct source){start, bytes, line, element, start + count * bytes, 0};
        }
        for (int panel = 0; panel < count; panel++) {
            task->level->widen(start + panel * bytes, element, length, (float *)task->made + panel * WIDTH * BLOCK);
        }
        return (struct source){task->made, WIDTH * BLOCK * 4, 64, KERNEL_F32, 0, 0};
    }
    if (weight->layout == KERNEL_COLUMNS) {
        const char *start = (const char *)weight->start + (block * weight->stride + first) * size;
        const long left = task->outputs - first;
        // A few rows read the lines where they lie; many would miss the table of pages at each.
        if (element == KERNEL_F32 && reads16 && left >= count * WIDTH) {
            return (struct source){start, 64, weight->stride * 4, KERNEL_F32, 0, 0};
        }
        for (int panel = 0; panel < count; panel++) {
            const char *columns = start + panel * WIDTH * size;
            char *place = task->made + panel * WIDTH * BLOCK * 4;
            const long some = least(WIDTH, left - panel * WIDTH);
            if (some == WIDTH && element != KERNEL_F32 && task->level->gather) {
                task->level->gather(columns, weight->stride * size, element, length, (float *)place);
            } else {
                gather_columns(columns, weight->stride, element, some, length, place, 1);
            }
        }
        return (struct source){task->made, WIDTH * BLOCK * 4, 64, KERNEL_F32, 0, 0};
    }
    const long stride = weight->stride * size;
    const char *start = (const char *)weight->start + first * stride + block * size;
    for (int panel = 0; panel < count; panel++) {
        const long some = least(WIDTH, task->outputs - first - panel * WIDTH);
        char *place = task->made + panel * WIDTH * BLOCK * 4;
        if (element != KERNEL_BF16 || reads16) {
            task->level->transpose(start + panel * WIDTH * stride, stride, element, some, length, place);
        } else {
            // Pairs take half the room of floats, so they are made beside the panel's place.
            char pairs[WIDTH * BLOCK * 2] __attribute__((aligned(64)));
            task->level->transpose(start + panel * WIDTH * stride, stride, element, some, length, pairs);
            task->level->widen(pairs, element, length, (float *)place);
        }
    }
    return (struct source){
        task->made, WIDTH * BLOCK * 4, 64, element == KERNEL_BF16 && reads16 ? KERNEL_BF16 : KERNEL_F32,
        start + count * WIDTH * stride, stride};
}

// The tallest tiles that divide so many rows evenly.
static long tile_rows(const struct level *level, long rows) { return divide_up(rows, divide_up(rows, level->rows)); }

// Panels of the next tile, where so many are left.
static int tile_panels(const struct level *level, long rows, long left) {
    const int most = level->panels[rows];
    return left >= 4 && most >= 4 ? 4 : left >= 2 && most >= 2 ? 2 : 1;
}

// Inputs between what a few rows read and what they fetch.
enum { FEW_AHEAD = 32 };

// a: rows STRIDE apart.
static void run_tiles(
    const struct task *task, struct source source, int panels, const float *a, long rows, long length, float *c,
    int adds, long columns, int is_few) {
    const struct level *level = task->level;
    const int logarithm = panels == 4 ? 2 : panels - 1;
    const long tiles = divide_up(rows, level->rows);
    for (long tile = 0, first = 0; tile < tiles; tile++) {
        const long next = rows * (tile + 1) / tiles;
        const char *fetch = source.start;
        long spread = 0, pace = 0;
        if (is_few) {
            fetch += FEW_AHEAD * source.line;
            spread = source.step;
            pace = source.line;
        } else if (source.next && !source.next_step) {
            const long share = divide_up(source.line * length, tiles);
            fetch = source.next + tile * share;
            spread = source.step;
            pace = divide_up(share, BLOCK);
        } else if (source.next && tile < WIDTH) {
            fetch = source.next + tile * source.next_step;
            spread = WIDTH * source.next_step;
            pace = 4;
        }
        level->tiles[source.element][logarithm][next - first](
            a + first * STRIDE, source.start, source.step, source.line, length, c + first * task->ldc, task->ldc, adds,
            columns, fetch, spread, pace);
        first = next;
    }
}

// A few rows: panels are read through all inputs, one after another, at the speed of the memory.
static void few_rows(const struct task *task) {
    const struct level *level = task->level;
    const long rows = task->rows, tall = tile_rows(level, rows);
    const int reads16 = tall <= level->widest16;
    long first = 0;
    if (rows == 1 && task->weight->layout == KERNEL_ROWS && level->single) {
        const long stride = task->weight->stride * element_bytes(task->weight->element);
        first = level->single(
            task->a, task->weight->start, stride, task->weight->element, task->outputs, task->inputs, task->c);
    }
    while (first < task->outputs) {
        const long left = task->outputs - first;
        const int count = tile_panels(level, tall, divide_up(left, WIDTH));
        for (long block = 0; block < task->inputs; block += BLOCK) {
            const long length = least(BLOCK, task->inputs - block);
            const struct source source = panels(task, first, count, block, length, reads16);
            run_tiles(
                task, source, count, rows_of(task, 0, block), rows, length, task->c + first, block > 0,
                least(left, count * WIDTH), 1);
        }
        first += count * WIDTH;
    }
}

// Many rows: a block of A stays in the second cache while panels pass through the first.
static void many_rows(const struct task *task) {
    const struct level *level = task->level;
    const int makes = task->weight->layout != KERNEL_PANELS || task->weight->element != KERNEL_F32;
    // Panels that are made on the way are worth twice the rows: each is made for half as many blocks.
    const long most = makes ? 2 * level->block_rows : level->block_rows;
    // Blocks of equal height: a low one would have every panel pass by for a few rows.
    const long height = divide_up(task->rows, divide_up(task->rows, most));
    for (long top = 0; top < task->rows; top += height) {
        const long rows = least(height, task->rows - top), tall = tile_rows(level, rows);
        for (long block = 0; block < task->inputs; block += BLOCK) {
            const long length = least(BLOCK, task->inputs - block);
            for (long first = 0; first < task->outputs;) {
                const long left = task->outputs - first;
                const int count = tile_panels(level, tall, divide_up(left, WIDTH));
                const struct source source = panels(task, first, count, block, length, 0);
                run_tiles(
                    task, source, count, rows_of(task, top, block), rows, length, task->c + top * task->ldc + first,
                    block > 0, least(left, count * WIDTH), 0);
                first += count * WIDTH;
            }
        }
    }
}

int kernel_product(
    int number, const float *a, long rows, const struct kernel_weight *weight, long outputs, long inputs, float *c,
    long ldc, void *scratch) {
    if (inputs == 0) {
        for (long i = 0; i < rows; i++) memset(c + i * ldc, 0, (size_t)outputs * 4);
        return number;
    }
    const struct level *level = level_of(number);
    if (rows == 0 || outputs == 0) return level->number;
    const struct task task = {level, weight, a, rows, outputs, inputs, c, ldc, scratch};
    if (rows <= 2 * level->rows) few_rows(&task);
    else many_rows(&task);
    return level->number;
}
