// What this processor can execute.
#include "include/CKernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

struct features {
    int avx2, avx512, amx;
};

static uint64_t enabled_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static struct features features(void) {
    struct features result = {0, 0, 0};
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return result;
    const unsigned basic = c;
    // The system must save the registers, or their use faults.
    if (!(basic & bit_OSXSAVE)) return result;
    const uint64_t state = enabled_state();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return result;
    const int vectors = (state & 0x6) == 0x6;
    result.avx2 = vectors && (basic & bit_AVX) && (basic & bit_FMA) && (basic & bit_F16C) && (b & bit_AVX2);
    const unsigned foundation = bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ;
    result.avx512 = result.avx2 && (state & 0xE6) == 0xE6 && (b & foundation) == foundation;
    const unsigned tile = 1u << 24, tile_bf16 = 1u << 22;
    result.amx = result.avx512 && (state & 0x60000) == 0x60000 && (d & tile) && (d & tile_bf16);
    return result;
}

int kernel_has(int level) {
    const struct features has = features();
    switch (level) {
    case KERNEL_PORTABLE: return 1;
    case KERNEL_AVX2: return has.avx2;
    case KERNEL_AVX512: return has.avx512;
    default: return 0;
    }
}

#include <unistd.h>

// The rest of the program is compiled for AVX2 and FMA. Where they are missing it ends before it meets one of them: the
// system calls this before anything else of the program runs.
__attribute__((constructor)) static void refuse_old_processors(void) {
    if (features().avx2) return;
    static const char text[] =
        "nacre: this processor has no AVX2, FMA and F16C (x86-64-v3, 2013 and newer), which nacre needs\n";
    // Nothing can be done about a line that can't be written.
    const ssize_t written = write(2, text, sizeof text - 1);
    (void)written;
    _exit(1);
}

#if defined(__linux__)
#include <sys/syscall.h>

int kernel_has_amx(void) {
    static int answer = -1;
    if (answer < 0) {
        // ARCH_REQ_XCOMP_PERM for the tiles' data: the system gives the unit to those who ask.
        answer = features().amx && syscall(SYS_arch_prctl, 0x1023, 18) == 0;
    }
    return answer;
}
#else
int kernel_has_amx(void) { return 0; }
#endif

#else

int kernel_has(int level) {
#if defined(__aarch64__)
    return level == KERNEL_PORTABLE || level == KERNEL_NEON;
#else
    return level == KERNEL_PORTABLE;
#endif
}

int kernel_has_amx(void) { return 0; }

#endif
