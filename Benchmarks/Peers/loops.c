/* What the machine can do, for Scripts/bench: threads that claim the next piece of work and do nothing else. No order, no
 * bound, no error handling beyond exit.
 *
 *   loops backup  gzip|zstd|lz4|none THREADS SOURCE [OUT]   pread, compress, CRC-32, and with OUT write and fsync;
 *                                                           one output file a thread
 *   loops restore gzip|zstd|lz4|none THREADS BACKUP OUT [fsync]   pread, decode, pwrite; where the
 *                                                           pieces are is found first
 *
 * SOURCE is a folder of files; BACKUP one of our backups, whose objects are named 0, 1, ...
 * Prints the seconds between the first claim and the end of the last thread.
 */
#define _GNU_SOURCE
#define ZSTD_STATIC_LINKING_ONLY
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <lz4.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum codec { GZIP, ZSTD, LZ4, NONE };

/* A chunk of a source file, or a piece of an object and its place in the restored file. */
struct piece {
    int file;
    off_t offset;
    size_t length;
    int object;
    off_t place; /* in the object */
    size_t content;
};

static enum codec codec;
static struct piece *pieces;
static size_t piece_count, piece_room;
static int files[1 << 20];
static int file_count;
static atomic_size_t next_piece;
static const char *out_folder;
static int do_sync;

static void add(struct piece piece) {
    if (piece_count == piece_room) {
        piece_room = piece_room ? piece_room * 2 : 1024;
        pieces = realloc(pieces, piece_room * sizeof *pieces);
        if (!pieces) err(1, "realloc");
    }
    pieces[piece_count++] = piece;
}

static size_t chunk_size(void) { return codec == GZIP ? 250000 : 1 << 20; }

static int add_source(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)walk;
    if (type != FTW_F) return 0;
    int file = files[file_count] = open(path, O_RDONLY);
    if (file < 0) err(1, "%s", path);
    posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    for (off_t at = 0; at < status->st_size; at += chunk_size()) {
        size_t left = status->st_size - at;
        add((struct piece){.file = file_count, .offset = at, .length = left < chunk_size() ? left : chunk_size()});
    }
    file_count++;
    return 0;
}

static void *compress_pieces(void *argument) {
    size_t chunk = chunk_size(), room = chunk + chunk / 8 + 4096, total = 0;
    unsigned char *in = malloc(chunk), *buffer = malloc(room), *level_buffer = malloc(ISAL_DEF_LVL1_DEFAULT);
    struct isal_zstream *stream = malloc(sizeof *stream);
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    void *lz4 = malloc(LZ4_sizeofState());
    uint32_t crc = 0;
    int target = -1;
    if (out_folder) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%ld", out_folder, (long)argument);
        target = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0660);
        if (target < 0) err(1, "%s", path);
    }
    for (size_t index; (index = atomic_fetch_add(&next_piece, 1)) < piece_count;) {
        struct piece piece = pieces[index];
        if (pread(files[piece.file], in, piece.length, piece.offset) != (ssize_t)piece.length) err(1, "pread");
        size_t count = 0;
        unsigned char *output = buffer;
        switch (codec) {
        case GZIP:
            isal_deflate_stateless_init(stream);
            stream->level = 1;
            stream->level_buf = level_buffer;
            stream->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
            stream->end_of_stream = 1;
            stream->gzip_flag = IGZIP_GZIP;
            stream->next_in = in;
            stream->avail_in = piece.length;
            stream->next_out = output;
            stream->avail_out = room;
            if (isal_deflate_stateless(stream) != COMP_OK) errx(1, "deflate");
            count = stream->total_out;
            break;
        case ZSTD:
            count = ZSTD_compress2(zstd, output, room, in, piece.length);
            if (ZSTD_isError(count)) errx(1, "zstd");
            break;
        case LZ4:
            count = LZ4_compress_fast_extState(lz4, (char *)in, (char *)output, piece.length, room, 1);
            break;
        case NONE:
            output = in;
            count = piece.length;
        }
        crc = crc32_gzip_refl(crc, output, count);
        if (target >= 0) {
            if (pwrite(target, output, count, total) != (ssize_t)count) err(1, "pwrite");
            total += count;
        }
    }
    if (target >= 0 && (fdatasync(target) || close(target))) err(1, "fsync");
    return (void *)(size_t)crc;
}

static uint32_t little(const unsigned char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, 4);
    return value;
}

static void add_object(const char *folder, int number, size_t size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%d", folder, number);
    int object = open(path, O_RDONLY);
    if (object < 0) err(1, "%s", path);
    unsigned char *bytes = mmap(NULL, size ? size : 1, PROT_READ, MAP_PRIVATE, object, 0);
    if (bytes == MAP_FAILED) err(1, "mmap");
    snprintf(path, sizeof path, "%s/%d", out_folder, number);
    files[file_count] = open(path, O_RDWR | O_CREAT | O_TRUNC, 0660);
    if (files[file_count] < 0) err(1, "%s", path);
    off_t place = 0;
    size_t at = codec == LZ4 ? 7 : 0;
    while (at < size) {
        size_t skip = 0, length = size - at, content = 0;
        switch (codec) {
        case GZIP:
            length = little(bytes + at + 16);
            content = little(bytes + at + 20);
            break;
        case ZSTD:
            length = ZSTD_findFrameCompressedSize(bytes + at, size - at);
            content = ZSTD_getFrameContentSize(bytes + at, length);
            break;
        case LZ4:
            skip = 4;
            length = little(bytes + at);
            if (length == 0) goto end;
            content = length & 0x80000000 ? length & 0x7fffffff : 1 << 20;
            break;
        case NONE:
            if (length > 1 << 20) length = 1 << 20;
            content = length;
        }
        add((struct piece){file_count, place, length, object, at + skip, content});
        place += content;
        at += skip + (length & 0x7fffffff);
    }
end:
    munmap(bytes, size ? size : 1);
    posix_fadvise(object, 0, 0, POSIX_FADV_SEQUENTIAL);
    file_count++;
}

static void *decode_pieces(void *argument) {
    (void)argument;
    unsigned char *buffer = malloc(2 << 20), *in = malloc(2 << 20);
    struct inflate_state *state = malloc(sizeof *state);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    for (size_t index; (index = atomic_fetch_add(&next_piece, 1)) < piece_count;) {
        struct piece piece = pieces[index];
        const unsigned char *output = buffer;
        size_t count = piece.content, length = piece.length & 0x7fffffff;
        if (pread(piece.object, in, length, piece.place) != (ssize_t)length) err(1, "pread");
        switch (codec) {
        case GZIP:
            isal_inflate_init(state);
            state->crc_flag = ISAL_GZIP;
            state->next_in = in;
            state->avail_in = piece.length;
            state->next_out = buffer;
            state->avail_out = piece.content;
            if (isal_inflate_stateless(state) != ISAL_DECOMP_OK) errx(1, "inflate");
            break;
        case ZSTD:
            if (ZSTD_decompressDCtx(zstd, buffer, piece.content, in, length) != count) errx(1, "zstd");
            break;
        case LZ4:
            if (piece.length & 0x80000000) output = in;
            else count = LZ4_decompress_safe((char *)in, (char *)buffer, length, 1 << 20);
            break;
        case NONE: output = in;
        }
        if (pwrite(files[piece.file], output, count, piece.offset) != (ssize_t)count) err(1, "pwrite");
    }
    return NULL;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count < 5) errx(2, "see the head of loops.c");
    int is_backup = strcmp(arguments[1], "backup") == 0, threads = atoi(arguments[3]);
    codec = arguments[2][0] == 'g' ? GZIP : arguments[2][0] == 'z' ? ZSTD : arguments[2][0] == 'l' ? LZ4 : NONE;
    out_folder = count > 5 ? arguments[5] : NULL;
    do_sync = count > 6;
    double start = now();
    if (is_backup) {
        if (nftw(arguments[4], add_source, 64, FTW_PHYS)) err(1, "%s", arguments[4]);
    } else {
        struct stat status;
        char path[4096];
        for (int number = 0;; number++) {
            snprintf(path, sizeof path, "%s/%d", arguments[4], number);
            if (stat(path, &status)) break;
            add_object(arguments[4], number, status.st_size);
        }
    }
    pthread_t pool[64];
    for (long index = 0; index < threads; index++)
        pthread_create(&pool[index], NULL, is_backup ? compress_pieces : decode_pieces, (void *)index);
    for (int index = 0; index < threads; index++) pthread_join(pool[index], NULL);
    if (!is_backup && do_sync)
        for (int index = 0; index < file_count; index++)
            if (fdatasync(files[index])) err(1, "fsync");
    printf("%.4f\n", now() - start);
}
