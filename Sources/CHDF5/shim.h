#pragma once
// The 1.10 names, whatever the installed version (1.12 and later rename functions that take addresses).
#define H5_USE_110_API 1
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

// Macros that call H5open() or cast, which Swift does not import.
static inline hid_t nh5_default(void) { return H5P_DEFAULT; }
static inline hid_t nh5_whole(void) { return H5S_ALL; }
static inline hid_t nh5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t nh5_i64le(void) { return H5T_STD_I64LE; }
static inline uint64_t nh5_undefined_address(void) { return (uint64_t)HADDR_UNDEF; }

// Little-endian file types; `fields` (and bias) describe the floats of 16 bits, which have no name in HDF5.
static inline hid_t nh5_integer(unsigned bytes, int is_signed) {
    switch (bytes) {
    case 1: return H5Tcopy(is_signed ? H5T_STD_I8LE : H5T_STD_U8LE);
    case 2: return H5Tcopy(is_signed ? H5T_STD_I16LE : H5T_STD_U16LE);
    case 4: return H5Tcopy(is_signed ? H5T_STD_I32LE : H5T_STD_U32LE);
    case 8: return H5Tcopy(is_signed ? H5T_STD_I64LE : H5T_STD_U64LE);
    default: return -1;
    }
}
static inline hid_t nh5_float32(void) { return H5Tcopy(H5T_IEEE_F32LE); }
static inline hid_t nh5_float64(void) { return H5Tcopy(H5T_IEEE_F64LE); }
static inline hid_t nh5_float_of_16_bits(size_t exponent_bits, size_t bias) {
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    size_t mantissa_bits = 15 - exponent_bits;
    if (type < 0) return type;
    if (H5Tset_fields(type, 15, mantissa_bits, exponent_bits, 0, mantissa_bits) < 0 || H5Tset_size(type, 2) < 0 ||
        H5Tset_ebias(type, bias) < 0) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

// The first calls of the process. H5Lunregister makes external links impossible to follow.
static inline herr_t nh5_start(void) {
    if (H5dont_atexit() < 0) return -1;
    if (H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0) return -2;
    if (H5PLset_loading_state(0) < 0) return -3;
    if (H5Lunregister(H5L_TYPE_EXTERNAL) < 0) return -4;
    return 0;
}
// The error stack is per thread: silence it on each.
static inline void nh5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

static inline herr_t nh5_keep_innermost(unsigned n, const H5E_error2_t *error, void *text) {
    if (n == 0 && error->desc) snprintf((char *)text, 256, "%s", error->desc);
    return 0;
}
// The innermost message of this thread's error stack, "" if it is empty. `text` holds 256 bytes.
static inline void nh5_innermost_error(char *text) {
    text[0] = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, nh5_keep_innermost, text);
}

// Access: plain files only, locked where the file system can, every id closed with the file.
static inline hid_t nh5_reading(void) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0) return access;
    if (H5Pset_fapl_sec2(access) < 0 || H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_file_locking(access, 1, 1) < 0) {
        H5Pclose(access);
        return -1;
    }
    return access;
}
// No lock on what is written: nobody knows its name yet, and a child process made meanwhile would keep the lock.
static inline hid_t nh5_writing(void) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0) return access;
    if (H5Pset_fapl_sec2(access) < 0 || H5Pset_fclose_degree(access, H5F_CLOSE_SEMI) < 0 ||
        H5Pset_file_locking(access, 0, 1) < 0 || H5Pset_alignment(access, 1, 64) < 0 ||
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0) {
        H5Pclose(access);
        return -1;
    }
    return access;
}
static inline hid_t nh5_open(const char *path, hid_t access) { return H5Fopen(path, H5F_ACC_RDONLY, access); }
static inline hid_t nh5_untimed(hid_t of_class) {
    hid_t create = H5Pcreate(of_class);
    if (create < 0) return create;
    if (H5Pset_obj_track_times(create, 0) < 0) {
        H5Pclose(create);
        return -1;
    }
    return create;
}
static inline hid_t nh5_create(const char *path, hid_t access) {
    hid_t create = nh5_untimed(H5P_FILE_CREATE);
    if (create < 0) return create;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    return file;
}
static inline hid_t nh5_create_group(hid_t file, const char *name, hid_t link) {
    hid_t create = nh5_untimed(H5P_GROUP_CREATE);
    if (create < 0) return create;
    hid_t group = H5Gcreate2(file, name, link, create, H5P_DEFAULT);
    H5Pclose(create);
    return group;
}

// Creation of contiguous datasets: space at once (so that the offset is known), no fill, no timestamps.
static inline hid_t nh5_contiguous(void) {
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    if (create < 0) return create;
    if (H5Pset_layout(create, H5D_CONTIGUOUS) < 0 || H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY) < 0 ||
        H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) < 0 || H5Pset_obj_track_times(create, 0) < 0) {
        H5Pclose(create);
        return -1;
    }
    return create;
}
static inline hid_t nh5_utf8_names(void) {
    hid_t create = H5Pcreate(H5P_LINK_CREATE);
    if (create < 0) return create;
    if (H5Pset_char_encoding(create, H5T_CSET_UTF8) < 0) {
        H5Pclose(create);
        return -1;
    }
    return create;
}
static inline hid_t nh5_text_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0) return type;
    if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

// Kind of an open object (0 group, 1 dataset, 2 anything else), address of its header, number of its attributes.
static inline herr_t nh5_examine(hid_t object, int *kind, uint64_t *address, uint64_t *attributes) {
    H5O_info_t info;
    memset(&info, 0, sizeof info);
    if (H5Oget_info2(object, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) return -1;
    *kind = info.type == H5O_TYPE_GROUP ? 0 : info.type == H5O_TYPE_DATASET ? 1 : 2;
    *address = (uint64_t)info.addr;
    *attributes = (uint64_t)info.num_attrs;
    return 0;
}

// Inflates `source` and counts what comes out, keeping none of it. Returns 0, 1 if it is not a whole deflate
// stream, or 2 if more than `limit` bytes come out. libhdf5 itself inflates without any limit.
static inline int nh5_inflated_size(const unsigned char *source, size_t count, uint64_t limit, uint64_t *size) {
    unsigned char sink[32768];
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    *size = 0;
    if (count > UINT32_MAX || inflateInit(&stream) != Z_OK) return 1;
    stream.next_in = (unsigned char *)source;
    stream.avail_in = (unsigned)count;
    int status = Z_OK, result = 1;
    while (status == Z_OK) {
        stream.next_out = sink;
        stream.avail_out = sizeof sink;
        status = inflate(&stream, Z_NO_FLUSH);
        *size += sizeof sink - stream.avail_out;
        if (*size > limit) {
            result = 2;
            break;
        }
        if (status == Z_STREAM_END) result = 0;
    }
    inflateEnd(&stream);
    return result;
}

#ifdef __linux__
// glibc declares these only with _GNU_SOURCE.
extern long syscall(long number, ...);
extern int fallocate(int descriptor, int mode, off_t offset, off_t count);
// Reserves blocks without changing the file's length.
static inline int nh5_reserve(int descriptor, int64_t count) { return fallocate(descriptor, 1, 0, count); }
// A rename that replaces nothing, renameat2 with RENAME_NOREPLACE; ENOSYS or EINVAL where there is none.
static inline int nh5_rename_to_new(const char *from, const char *to) {
#ifdef SYS_renameat2
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1);
#else
    errno = ENOSYS;
    return -1;
#endif
}
#else
static inline int nh5_reserve(int descriptor, int64_t count) { return 0; }
static inline int nh5_rename_to_new(const char *from, const char *to) {
    errno = ENOSYS;
    return -1;
}
#endif

// A copy of this process that reads a file in our place; libhdf5 may crash or loop in it. It starts with default
// signal handlers, says nothing on the terminal, and ends at the latest when its time or memory is used up.
// Only async-signal-safe calls before it returns. `memory` is the size of its address space; 0 for no limit.
static inline pid_t nh5_fork(unsigned cpu_seconds, unsigned wall_seconds, uint64_t memory) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    alarm(wall_seconds);
    struct rlimit cores = {0, 0}, time = {cpu_seconds, cpu_seconds}, space = {memory, memory};
    setrlimit(RLIMIT_CORE, &cores);
    setrlimit(RLIMIT_CPU, &time);
    if (memory) setrlimit(RLIMIT_AS, &space);
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        dup2(nowhere, 0);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
    }
    return 0;
}

// Processor seconds that a child has used; negative where the system does not tell.
static inline double nh5_cpu_seconds(pid_t child) {
#ifdef __linux__
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(child, &clock) == 0 && clock_gettime(clock, &time) == 0)
        return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
#endif
    return -1;
}
