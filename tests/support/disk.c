/* Put before a program's own calls by LD_PRELOAD: a disk that fails when it is told to, and that
 * keeps a journal of what it was made to keep.
 *
 * DISK_FAULTS names a file with lines "call errno text [bytes]": each call (write, fsync, rename,
 * ftruncate, open) on a file whose path contains the text fails with that errno; a text that ends
 * in $ has to be the end of the path. fsync stands for fdatasync, too. A write with a number of bytes writes so many and says so, which is a short
 * write; open is one that may create the file.
 *
 * DISK_JOURNAL names a file that gets a line "device inode size" for each file that was forced to
 * the disk: so much of it would be there after the power has failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int fits(const char *path, char *text) {
    size_t length = strlen(text), whole = strlen(path);
    if (text[length - 1] != '$') return strstr(path, text) != NULL;
    text[--length] = 0;
    return whole >= length && strcmp(path + whole - length, text) == 0;
}

/* The errno for a call on a path, 0 if it may go its way; *bytes as in the file, or -1. */
static int fault(const char *call, const char *path, long *bytes) {
    const char *name = getenv("DISK_FAULTS");
    char text[4096], *line, *rest;
    long count = 0;
    int fd;
    *bytes = -1;
    if (name == NULL || (fd = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC)) < 0)
        return 0;
    count = syscall(SYS_read, fd, text, sizeof(text) - 1);
    syscall(SYS_close, fd);
    if (count <= 0) return 0;
    text[count] = 0;
    for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char what[16], where[256];
        int number;
        long limit = -1;
        if (sscanf(line, "%15s %d %255s %ld", what, &number, where, &limit) < 3) continue;
        if (strcmp(what, call) == 0 && fits(path, where)) {
            *bytes = limit;
            return number;
        }
    }
    return 0;
}

static int fault_of(const char *call, int fd, long *bytes) {
    char link[64], path[4096];
    ssize_t length;
    *bytes = -1;
    if (getenv("DISK_FAULTS") == NULL) return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fault(call, path, bytes);
}

ssize_t write(int fd, const void *data, size_t size) {
    long bytes;
    int number = fault_of("write", fd, &bytes);
    if (number != 0 && bytes >= 0 && (size_t)bytes < size) size = bytes;
    else if (number != 0) return errno = number, -1;
    return syscall(SYS_write, fd, data, size);
}

/* Note that so many bytes of a file are on the disk. */
static void note(const struct stat *file, long long size) {
    const char *name = getenv("DISK_JOURNAL");
    char line[96];
    int fd;
    if (name == NULL || !S_ISREG(file->st_mode)) return;
    fd = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    snprintf(line, sizeof(line), "%llu %llu %lld\n", (unsigned long long)file->st_dev,
             (unsigned long long)file->st_ino, size);
    if (fd < 0 || syscall(SYS_write, fd, line, strlen(line)) < 0) abort();
    syscall(SYS_close, fd);
}

static int force(int fd, int call) {
    long bytes;
    int known, number = fault_of("fsync", fd, &bytes);
    struct stat before;
    if (number != 0) return errno = number, -1;
    /* What is written while this goes on may be forced to the disk, or not. */
    known = fstat(fd, &before);
    if (syscall(call, fd) < 0) return -1;
    if (known == 0) note(&before, before.st_size);
    return 0;
}

int fsync(int fd) { return force(fd, SYS_fsync); }

int fdatasync(int fd) { return force(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) {
    long bytes;
    int number = fault("rename", to, &bytes);
    if (number != 0) return errno = number, -1;
    return NEXT(rename)(from, to);
}

int ftruncate64(int fd, off64_t length) {
    long bytes;
    int number = fault_of("ftruncate", fd, &bytes);
    if (number != 0) return errno = number, -1;
    return syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int open_file(const char *path, int flags, mode_t mode) {
    long bytes;
    int fd, number = flags & O_CREAT ? fault("open", path, &bytes) : 0;
    struct stat file;
    if (number != 0) return errno = number, -1;
    fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    /* A new file may have the number of one that is no more. */
    if (fd >= 0 && flags & O_CREAT && fstat(fd, &file) == 0 && file.st_size == 0) note(&file, 0);
    return fd;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        mode_t mode = 0;                                                                           \
        va_start(rest, flags);                                                                     \
        if (flags & (O_CREAT | __O_TMPFILE)) mode = va_arg(rest, mode_t);                          \
        va_end(rest);                                                                              \
        return open_file(path, flags, mode);                                                       \
    }

OPEN(open)
OPEN(open64)
