#define _GNU_SOURCE
#include "CFaults.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCOPES = 64, RULES = 8 };

struct rule {
    int call, error;
    long nth;
};

struct scope {
    int used, rules;
    char root[PATH_MAX];
    long counts[VTB_CALLS], hits;
    struct rule rule[RULES];
};

static struct scope scopes[SCOPES];
static atomic_int armed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Faults are this process's own. A child has a copy of the mutex, held perhaps by a thread that it has not got: between
   fork and exec it must take no lock, and so neither look for faults nor call dlsym. */
static _Atomic pid_t owner;

static int faults_are_ours(void) {
    return atomic_load_explicit(&armed, memory_order_relaxed) != 0 && getpid() == atomic_load(&owner);
}

/* The C library's own function of the same name, looked up before the program begins. Whoever comes before that, of which
   there are only other libraries' constructors, looks for itself. */
#define REAL(name) ((__typeof__(&name))(real_##name != NULL ? real_##name : dlsym(RTLD_NEXT, #name)))
#define SLOT(name)                                                                        \
    static void *real_##name;                                                             \
    __attribute__((constructor)) static void look_up_##name(void) {                       \
        real_##name = dlsym(RTLD_NEXT, #name);                                            \
    }

int vtb_faults_begin(const char *root) {
    int found = -1;
    atomic_store(&owner, getpid());
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < SCOPES && found < 0; i++) {
        if (!scopes[i].used) found = i;
    }
    if (found >= 0) {
        memset(&scopes[found], 0, sizeof scopes[found]);
        scopes[found].used = 1;
        snprintf(scopes[found].root, sizeof scopes[found].root, "%s", root);
        atomic_fetch_add(&armed, 1);
    }
    pthread_mutex_unlock(&mutex);
    return found;
}

void vtb_faults_add(int scope, int call, long nth, int error) {
    pthread_mutex_lock(&mutex);
    struct scope *s = &scopes[scope];
    if (s->rules < RULES) s->rule[s->rules++] = (struct rule){.call = call, .error = error, .nth = nth};
    pthread_mutex_unlock(&mutex);
}

long vtb_faults_count(int scope, int call) {
    pthread_mutex_lock(&mutex);
    long count = scopes[scope].counts[call];
    pthread_mutex_unlock(&mutex);
    return count;
}

long vtb_faults_hits(int scope) {
    pthread_mutex_lock(&mutex);
    long hits = scopes[scope].hits;
    pthread_mutex_unlock(&mutex);
    return hits;
}

void vtb_faults_end(int scope) {
    pthread_mutex_lock(&mutex);
    scopes[scope].used = 0;
    atomic_fetch_sub(&armed, 1);
    pthread_mutex_unlock(&mutex);
}

int vtb_faults_spare_children(void) {
    pthread_mutex_lock(&mutex);
    pid_t child = fork();
    if (child == 0) {
        /* Whoever waits for the mutex does so for ever. */
        alarm(20);
        int pipes[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
        _exit(null >= 0 && pipe(pipes) == 0 && write(null, "", 1) == 1 && close(null) == 0 ? 0 : 1);
    }
    pthread_mutex_unlock(&mutex);
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What becomes of this call: 0 it is passed on, an errno, or VTB_SHORT. */
static int fault_of_path(int call, const char *path) {
    int error = 0;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < SCOPES; i++) {
        struct scope *s = &scopes[i];
        size_t length = strlen(s->root);
        if (!s->used || strncmp(path, s->root, length) != 0 || (path[length] != '/' && path[length] != 0)) continue;
        long number = ++s->counts[call];
        for (int j = 0; j < s->rules; j++) {
            if (s->rule[j].call == call && (s->rule[j].nth == 0 || s->rule[j].nth == number)) {
                error = s->rule[j].error;
                s->hits++;
            }
        }
    }
    pthread_mutex_unlock(&mutex);
    return error;
}

static int fault_of_descriptor(int call, int descriptor) {
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return fault_of_path(call, path);
}

/* Fails, or does nothing. */
#define FAIL_PATH(call, path, result)                         \
    if (faults_are_ours()) {                                  \
        int error = fault_of_path(call, path);                \
        if (error > 0) {                                      \
            errno = error;                                    \
            return result;                                    \
        }                                                     \
    }
#define FAIL_DESCRIPTOR(call, descriptor, result)             \
    if (faults_are_ours()) {                                  \
        int error = fault_of_descriptor(call, descriptor);    \
        if (error > 0) {                                      \
            errno = error;                                    \
            return result;                                    \
        }                                                     \
    }
/* The same; VTB_SHORT halves the count. */
#define FAIL_BYTES(call, descriptor, count)                   \
    if (faults_are_ours()) {                                  \
        int error = fault_of_descriptor(call, descriptor);    \
        if (error > 0) {                                      \
            errno = error;                                    \
            return -1;                                        \
        }                                                     \
        if (error == VTB_SHORT && count > 1) count /= 2;      \
    }

/* The mode of a new file stands behind the flags that make one. */
#define MODE_BEHIND(flags, mode)              \
    mode_t mode = 0;                          \
    if (flags & (O_CREAT | O_TMPFILE)) {      \
        va_list arguments;                    \
        va_start(arguments, flags);           \
        mode = va_arg(arguments, mode_t);     \
        va_end(arguments);                    \
    }

SLOT(open)
int open(const char *path, int flags, ...) {
    MODE_BEHIND(flags, mode)
    FAIL_PATH(VTB_OPEN, path, -1)
    return REAL(open)(path, flags, mode);
}

/* Of a file; folders on the way to it are looked up by name and open as they are. */
static int fault_below(int call, int folder, const char *name) {
    char link[64], path[PATH_MAX * 2];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = folder == AT_FDCWD || name[0] == '/' ? 0 : readlink(link, path, PATH_MAX - 1);
    errno = before;
    if (length < 0) return 0;
    snprintf(path + length, sizeof path - (size_t)length, "%s%s", length > 0 ? "/" : "", name);
    return fault_of_path(call, path);
}

#define FAIL_BELOW(call, folder, name, result)                \
    if (faults_are_ours()) {                                  \
        int error = fault_below(call, folder, name);          \
        if (error > 0) {                                      \
            errno = error;                                    \
            return result;                                    \
        }                                                     \
    }

SLOT(openat)
int openat(int folder, const char *path, int flags, ...) {
    MODE_BEHIND(flags, mode)
    if (!(flags & O_DIRECTORY)) {
        FAIL_BELOW(VTB_OPEN, folder, path, -1)
    }
    return REAL(openat)(folder, path, flags, mode);
}

SLOT(mkdirat)
int mkdirat(int folder, const char *path, mode_t mode) {
    FAIL_BELOW(VTB_MKDIR, folder, path, -1)
    return REAL(mkdirat)(folder, path, mode);
}

SLOT(opendir)
DIR *opendir(const char *path) {
    FAIL_PATH(VTB_OPEN, path, NULL)
    return REAL(opendir)(path);
}

SLOT(readdir)
struct dirent *readdir(DIR *folder) {
    FAIL_DESCRIPTOR(VTB_LIST, dirfd(folder), NULL)
    return REAL(readdir)(folder);
}

SLOT(read)
ssize_t read(int descriptor, void *buffer, size_t count) {
    FAIL_BYTES(VTB_READ, descriptor, count)
    return REAL(read)(descriptor, buffer, count);
}

SLOT(pread)
ssize_t pread(int descriptor, void *buffer, size_t count, off_t offset) {
    FAIL_BYTES(VTB_READ, descriptor, count)
    return REAL(pread)(descriptor, buffer, count, offset);
}

SLOT(write)
ssize_t write(int descriptor, const void *buffer, size_t count) {
    FAIL_BYTES(VTB_WRITE, descriptor, count)
    return REAL(write)(descriptor, buffer, count);
}

SLOT(pwrite)
ssize_t pwrite(int descriptor, const void *buffer, size_t count, off_t offset) {
    FAIL_BYTES(VTB_WRITE, descriptor, count)
    return REAL(pwrite)(descriptor, buffer, count, offset);
}

SLOT(fsync)
int fsync(int descriptor) {
    FAIL_DESCRIPTOR(VTB_SYNC, descriptor, -1)
    return REAL(fsync)(descriptor);
}

SLOT(sync_file_range)
int sync_file_range(int descriptor, off_t offset, off_t count, unsigned int flags) {
    FAIL_DESCRIPTOR(VTB_SYNC, descriptor, -1)
    return REAL(sync_file_range)(descriptor, offset, count, flags);
}

SLOT(close)
int close(int descriptor) {
    int error = faults_are_ours() ? fault_of_descriptor(VTB_CLOSE, descriptor) : 0;
    int result = REAL(close)(descriptor);
    if (error > 0) {
        errno = error;
        return -1;
    }
    return result;
}

SLOT(rename)
int rename(const char *source, const char *target) {
    FAIL_PATH(VTB_RENAME, source, -1)
    return REAL(rename)(source, target);
}

SLOT(link)
int link(const char *source, const char *target) {
    FAIL_PATH(VTB_LINK, source, -1)
    return REAL(link)(source, target);
}

SLOT(renameat2)
int renameat2(int from, const char *source, int to, const char *target, unsigned int flags) {
    FAIL_PATH(VTB_PLACE, source, -1)
    return REAL(renameat2)(from, source, to, target, flags);
}

SLOT(flock)
int flock(int descriptor, int operation) {
    FAIL_DESCRIPTOR(VTB_LOCK, descriptor, -1)
    return REAL(flock)(descriptor, operation);
}

SLOT(lchown)
int lchown(const char *path, uid_t owner, gid_t group) {
    FAIL_PATH(VTB_OWN, path, -1)
    return REAL(lchown)(path, owner, group);
}

SLOT(fchown)
int fchown(int descriptor, uid_t owner, gid_t group) {
    FAIL_DESCRIPTOR(VTB_OWN, descriptor, -1)
    return REAL(fchown)(descriptor, owner, group);
}

SLOT(unlink)
int unlink(const char *path) {
    FAIL_PATH(VTB_UNLINK, path, -1)
    return REAL(unlink)(path);
}

SLOT(unlinkat)
int unlinkat(int folder, const char *path, int flags) {
    if (folder == AT_FDCWD) {
        FAIL_PATH(VTB_UNLINK, path, -1)
    } else {
        FAIL_DESCRIPTOR(VTB_UNLINK, folder, -1)
    }
    return REAL(unlinkat)(folder, path, flags);
}

SLOT(rmdir)
int rmdir(const char *path) {
    FAIL_PATH(VTB_UNLINK, path, -1)
    return REAL(rmdir)(path);
}

SLOT(mkdir)
int mkdir(const char *path, mode_t mode) {
    FAIL_PATH(VTB_MKDIR, path, -1)
    return REAL(mkdir)(path, mode);
}

SLOT(stat)
int stat(const char *restrict path, struct stat *restrict status) {
    FAIL_PATH(VTB_STAT, path, -1)
    return REAL(stat)(path, status);
}

SLOT(lstat)
int lstat(const char *restrict path, struct stat *restrict status) {
    FAIL_PATH(VTB_STAT, path, -1)
    return REAL(lstat)(path, status);
}

SLOT(fstat)
int fstat(int descriptor, struct stat *status) {
    FAIL_DESCRIPTOR(VTB_STAT, descriptor, -1)
    return REAL(fstat)(descriptor, status);
}
