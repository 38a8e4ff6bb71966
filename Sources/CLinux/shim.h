#pragma once
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
/* Declared by <fcntl.h> and <string.h> for _GNU_SOURCE only, which Swift's import of the C library does not set. */
void *memmem(const void *text, size_t textLength, const void *word, size_t wordLength);
int sync_file_range(int descriptor, long long offset, long long count, unsigned int flags);
int renameat2(int sourceFolder, const char *source, int targetFolder, const char *target, unsigned int flags);
/* The GNU C library's own, declared by <malloc.h>, which Swift does not import. */
int malloc_trim(size_t left);
int mallopt(int parameter, int value);
enum { CLINUX_MALLOC_ARENAS = -8 };
enum { CLINUX_RENAME_NOREPLACE = 1 };
enum {
    CLINUX_SYNC_FILE_RANGE_WAIT_BEFORE = 1,
    CLINUX_SYNC_FILE_RANGE_WRITE = 2,
    CLINUX_SYNC_FILE_RANGE_WAIT_AFTER = 4
};
/* prctl takes a variable number of arguments, which Swift does not call. */
static inline int clinux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }
/* Who has lost its parent becomes our child, and not that of the first process. */
static inline int clinux_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1); }
