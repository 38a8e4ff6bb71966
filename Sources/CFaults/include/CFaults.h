#pragma once
/* System calls on files that fail on request. Linked into the test program only, whose own definitions of these functions
   go before those of the C library. Without a scope that is armed each is passed on at once. */

/* Kinds of calls that can fail. */
enum vtb_call {
    VTB_OPEN,   /* open, opendir */
    VTB_READ,   /* read, pread */
    VTB_WRITE,  /* write, pwrite */
    VTB_SYNC,   /* fsync, sync_file_range */
    VTB_CLOSE,  /* close; the descriptor is closed all the same, as Linux does */
    VTB_RENAME, /* rename */
    VTB_UNLINK, /* unlink, unlinkat, rmdir */
    VTB_MKDIR,
    VTB_STAT,   /* stat, lstat, fstat */
    VTB_LIST,   /* readdir */
    VTB_LINK,
    VTB_PLACE,  /* renameat2 */
    VTB_LOCK,   /* flock */
    VTB_OWN,    /* lchown, fchown */
    VTB_CALLS
};

/* In place of an errno: only half of the bytes are read or written. */
enum { VTB_SHORT = -1 };

/* Arms a scope for everything below the folder `root`, an absolute path without links; its number, or -1. */
int vtb_faults_begin(const char *root);
/* Lets the `nth` call (from 1; 0: each one) of a kind in the scope fail with `error`, an errno or VTB_SHORT. */
void vtb_faults_add(int scope, int call, long nth, int error);
/* Calls of a kind that the scope has seen. */
long vtb_faults_count(int scope, int call);
/* Faults that have come. */
long vtb_faults_hits(int scope);
void vtb_faults_end(int scope);
/* Whether a child that is forked while another thread holds the faults' lock gets through these calls all the same. */
int vtb_faults_spare_children(void);
