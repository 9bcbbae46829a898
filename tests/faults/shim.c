/* LD_PRELOAD: die or fail at the n-th call that changes files below one folder.
 *
 * MEDIABOX_FAULT_PREFIX  the folder, resolved; nothing else is counted
 * MEDIABOX_FAULT_COUNT   a file of 8 bytes, mapped and shared by the whole process tree: calls so far
 * MEDIABOX_FAULT_AT      1 for the first call; 0 only counts
 * MEDIABOX_FAULT_KIND    kill | torn (half of a write, then kill) | an errno as a number
 * MEDIABOX_FAULT_STICKY  1: an errno is answered from the n-th call on, as a full disk does
 * MEDIABOX_FAULT_ONLY    comma-separated families to count: write,fsync,rename,link,unlink,mkdir,truncate,create
 * MEDIABOX_FAULT_TRACE   a file that gets one line per counted call: number, family, path
 *
 * A process started once and forked for each case uses fault_arm() instead of AT and KIND.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { GO_ON = 0, FAIL = 1, TEAR = 2 };

static _Atomic uint64_t own_count;
static _Atomic uint64_t *count = &own_count;
static uint64_t at;
static int code;   /* errno to answer; 0: kill */
static int torn, sticky;
static char prefix[PATH_MAX];
static size_t prefix_length;
static const char *only = "";
static int trace = -1;

void fault_arm(uint64_t new_at, const char *kind, int new_sticky)
{
    torn = !strcmp(kind, "torn");
    code = torn ? 0 : atoi(kind); /* "kill" is 0 */
    sticky = new_sticky;
    atomic_store(count, 0);
    at = new_at;
}

uint64_t fault_count(void) { return atomic_load(count); }

__attribute__((constructor)) static void start(void)
{
    const char *value = getenv("MEDIABOX_FAULT_PREFIX");
    if (!value || prefix_length)
        return;
    snprintf(prefix, sizeof prefix, "%s", value);
    prefix_length = strlen(prefix);
    if ((value = getenv("MEDIABOX_FAULT_ONLY")))
        only = value;
    if ((value = getenv("MEDIABOX_FAULT_COUNT"))) {
        int fd = syscall(SYS_openat, AT_FDCWD, value, O_RDWR | O_CLOEXEC);
        void *shared = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (shared != MAP_FAILED)
            count = shared;
        close(fd);
    }
    if ((value = getenv("MEDIABOX_FAULT_TRACE")))
        trace = syscall(SYS_openat, AT_FDCWD, value, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if ((value = getenv("MEDIABOX_FAULT_KIND"))) {
        torn = !strcmp(value, "torn");
        code = torn ? 0 : atoi(value);
    }
    sticky = getenv("MEDIABOX_FAULT_STICKY") != NULL;
    if ((value = getenv("MEDIABOX_FAULT_AT")))
        at = strtoull(value, NULL, 10);
}

static int below(const char *path)
{
    return prefix_length && !strncmp(path, prefix, prefix_length) && (path[prefix_length] == '/' || !path[prefix_length]);
}

/* The path behind a descriptor, or "" (pipes and sockets read "pipe:[..]"). */
static const char *behind(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return path;
}

static const char *resolved(int folder, const char *name, char *path)
{
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return path;
    }
    char base[PATH_MAX];
    behind(folder, base);
    if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX)
        path[0] = 0;
    return path;
}

static int is_counted(const char *family)
{
    if (!*only)
        return 1;
    size_t length = strlen(family);
    for (const char *hit = strstr(only, family); hit; hit = strstr(hit + 1, family))
        if ((hit == only || hit[-1] == ',') && (hit[length] == ',' || !hit[length]))
            return 1;
    return 0;
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static int met(const char *family, const char *path)
{
    if (!below(path) || !is_counted(family))
        return GO_ON;
    uint64_t number = atomic_fetch_add(count, 1) + 1;
    if (trace >= 0) {
        char line[PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%llu %s %s\n", (unsigned long long)number, family, path);
        syscall(SYS_write, trace, line, (size_t)length);
    }
    if (!at || (sticky && code ? number < at : number != at))
        return GO_ON;
    if (code) {
        errno = code;
        return FAIL;
    }
    if (torn && !strcmp(family, "write"))
        return TEAR;
    die();
    return FAIL;
}

static int met_fd(const char *family, int fd)
{
    char path[PATH_MAX];
    return prefix_length ? met(family, behind(fd, path)) : GO_ON;
}

static int met_at(const char *family, int folder, const char *name)
{
    char path[PATH_MAX];
    return prefix_length ? met(family, resolved(folder, name, path)) : GO_ON;
}

/* Counted once, by its target, or by its origin when only that is below the prefix. */
static int met_two(const char *family, int folder, const char *from, int to_folder, const char *to)
{
    char path[PATH_MAX];
    if (!prefix_length)
        return GO_ON;
    if (below(resolved(to_folder, to, path)))
        return met(family, path);
    return met(family, resolved(folder, from, path));
}

#define REAL(name)                                                                                                     \
    static __typeof__(&name) real;                                                                                     \
    if (!real)                                                                                                         \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRITER(name, parameters, half, whole)                                                                          \
    ssize_t name parameters                                                                                            \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        switch (met_fd("write", fd)) {                                                                                 \
        case FAIL:                                                                                                     \
            return -1;                                                                                                 \
        case TEAR:                                                                                                     \
            if (half < 0)                                                                                              \
                perror("torn write");                                                                                  \
            die();                                                                                                     \
        }                                                                                                              \
        return whole;                                                                                                  \
    }

WRITER(write, (int fd, const void *from, size_t size), real(fd, from, size / 2), real(fd, from, size))
WRITER(pwrite, (int fd, const void *from, size_t size, off_t to), real(fd, from, size / 2, to), real(fd, from, size, to))
WRITER(pwrite64, (int fd, const void *from, size_t size, off64_t to), real(fd, from, size / 2, to), real(fd, from, size, to))
WRITER(writev, (int fd, const struct iovec *parts, int n), real(fd, parts, n / 2 ? n / 2 : 1), real(fd, parts, n))

#define ON_FD(family, name, parameters, arguments)                                                                     \
    int name parameters                                                                                                \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        return met_fd(family, fd) ? -1 : real arguments;                                                               \
    }

ON_FD("fsync", fsync, (int fd), (fd))
ON_FD("fsync", fdatasync, (int fd), (fd))
ON_FD("truncate", ftruncate, (int fd, off_t size), (fd, size))
ON_FD("truncate", ftruncate64, (int fd, off64_t size), (fd, size))

#define ON_NAME(family, name, parameters, folder, arguments)                                                           \
    int name parameters                                                                                                \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        return met_at(family, folder, path) ? -1 : real arguments;                                                     \
    }

ON_NAME("unlink", unlink, (const char *path), AT_FDCWD, (path))
ON_NAME("unlink", unlinkat, (int folder, const char *path, int flags), folder, (folder, path, flags))
ON_NAME("mkdir", mkdir, (const char *path, mode_t mode), AT_FDCWD, (path, mode))
ON_NAME("mkdir", mkdirat, (int folder, const char *path, mode_t mode), folder, (folder, path, mode))

#define ON_TWO(family, name, parameters, a, b, arguments)                                                              \
    int name parameters                                                                                                \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        return met_two(family, a, from, b, to) ? -1 : real arguments;                                                  \
    }

ON_TWO("rename", rename, (const char *from, const char *to), AT_FDCWD, AT_FDCWD, (from, to))
ON_TWO("rename", renameat, (int a, const char *from, int b, const char *to), a, b, (a, from, b, to))
ON_TWO("rename", renameat2, (int a, const char *from, int b, const char *to, unsigned flags), a, b, (a, from, b, to, flags))
ON_TWO("link", link, (const char *from, const char *to), AT_FDCWD, AT_FDCWD, (from, to))
ON_TWO("link", linkat, (int a, const char *from, int b, const char *to, int flags), a, b, (a, from, b, to, flags))

/* open() changes files only when it may create one. */
#define OPENER(name, parameters, folder, last, ...)                                                                    \
    int name parameters                                                                                                \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                                         \
            va_list rest;                                                                                              \
            va_start(rest, last);                                                                                      \
            mode = va_arg(rest, mode_t);                                                                               \
            va_end(rest);                                                                                              \
        }                                                                                                              \
        if (flags & O_CREAT && met_at("create", folder, path))                                                         \
            return -1;                                                                                                 \
        return real(__VA_ARGS__, flags, mode);                                                                         \
    }

OPENER(open, (const char *path, int flags, ...), AT_FDCWD, flags, path)
OPENER(open64, (const char *path, int flags, ...), AT_FDCWD, flags, path)
OPENER(openat, (int folder, const char *path, int flags, ...), folder, flags, folder, path)
OPENER(openat64, (int folder, const char *path, int flags, ...), folder, flags, folder, path)
