// What timings in C stand on: a clock, memory like the program's own, a median, and threads that take numbered tasks.
// Included by one program at a time, since everything in it is static.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *memory(size_t bytes) {
    const size_t whole = (bytes + (1 << 21) - 1) >> 21 << 21;
    void *result = aligned_alloc(1 << 21, whole);
    if (!result) {
        fprintf(stderr, "kernels: no memory for %zu bytes\n", bytes);
        exit(1);
    }
#ifdef MADV_HUGEPAGE
    // As the program's own memory: products miss the table of pages less often.
    madvise(result, whole, MADV_HUGEPAGE);
#endif
    return result;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

// ---- Threads that take numbered tasks, as the program's own pool does ------------------------------------------------

static int threads = 2;
static void (*task_body)(void *, int task, int thread);
static void *task_context;
static int task_count, next_task, arrived, epoch;

static void drain(int thread) {
    for (int task; (task = __atomic_fetch_add(&next_task, 1, __ATOMIC_RELAXED)) < task_count;) {
        task_body(task_context, task, thread);
    }
}

static void *serve(void *number) {
    for (int seen = 0;;) {
        while (__atomic_load_n(&epoch, __ATOMIC_ACQUIRE) == seen) {}
        seen++;
        drain((int)(long)number);
        __atomic_fetch_add(&arrived, 1, __ATOMIC_RELEASE);
    }
    return 0;
}

static void run(int tasks, void (*body)(void *, int, int), void *context) {
    task_body = body, task_context = context, task_count = tasks;
    next_task = 0, arrived = 0;
    __atomic_fetch_add(&epoch, 1, __ATOMIC_RELEASE);
    drain(0);
    while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < threads - 1) {}
}
