/* The cache of files, by rename and least recent use (the time of modification, set at every use). */
#include "os/cache_file.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define UNFINISHED ".unfinished-" /* how the names of files begin that are being made */

enum { DEFAULT_LIMIT_GB = 20, STALE_SECONDS = 3600 };

static uint64_t limit_bytes(void) {
    const char *text = getenv("APLACA_CACHE_GB");
    char *end;
    if (!text || !*text) return DEFAULT_LIMIT_GB * UINT64_C(1000000000);
    const double gigabytes = strtod(text, &end);
    return *end || !(gigabytes > 0) ? 0 : gigabytes > 1e9 ? UINT64_MAX / 2 : (uint64_t)(gigabytes * 1e9);
}

/* The directory, with its last slash. False when there is no telling. */
static bool directory_of(AplText *path) {
    const char *own = getenv("APLACA_CACHE"), *caches = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own) apli_text_printf(path, "%s/", own);
    else if (caches && *caches == '/') apli_text_printf(path, "%s/aplaca/", caches);
    else if (home && *home == '/') apli_text_printf(path, "%s/.cache/aplaca/", home);
    else return false;
    return apli_text_status(path) == APL_OK;
}

/* Makes every directory of a path that ends in a slash. */
static void make_directories(const char *path) {
    char *copy = strdup(path);
    if (!copy) return;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(copy, 0700);
        *slash = '/';
    }
    free(copy);
}

AplMap *apli_cache_find(const char *name, uint64_t size) {
    APLI_AUTO_TEXT path = {0};
    AplMap *map;
    if (!limit_bytes() || !directory_of(&path)) return NULL;
    apli_text_append_string(&path, name);
    if (apli_text_status(&path) != APL_OK || access(path.bytes, R_OK) != 0) return NULL;
    if (apli_map_open(path.bytes, &map) != APL_OK) return NULL;
    if (apli_map_size(map) != size) {
        apli_map_release(map);
        return NULL;
    }
    utimensat(AT_FDCWD, path.bytes, NULL, 0);
    return map;
}

/* ---- making room ---------------------------------------------------------------------------------------------------- */

typedef struct Entry {
    char *name;
    uint64_t size;
    struct timespec used;
} Entry;

static int by_use(const void *a, const void *b) {
    const struct timespec *x = &((const Entry *)a)->used, *y = &((const Entry *)b)->used;
    return x->tv_sec != y->tv_sec ? (x->tv_sec < y->tv_sec ? -1 : 1) : (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Removes what a killed process left, then the least recently used files until `size` more bytes fit the limit. */
static void make_room(int directory, uint64_t size, uint64_t limit) {
    const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? NULL : fdopendir(again);
    Entry *entries = NULL;
    size_t count = 0, room = 0;
    uint64_t total = size;
    if (!stream) {
        if (again >= 0) close(again);
        return;
    }
    for (struct dirent *found; (found = readdir(stream));) {
        struct stat status;
        if (fstatat(directory, found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) continue;
        if (strncmp(found->d_name, UNFINISHED, strlen(UNFINISHED)) == 0) {
            if (time(NULL) - status.st_mtime > STALE_SECONDS) unlinkat(directory, found->d_name, 0);
            continue;
        }
        if (count == room) {
            room = room ? room * 2 : 16;
            Entry *larger = realloc(entries, room * sizeof *entries);
            if (!larger) break;
            entries = larger;
        }
        entries[count] = (Entry){strdup(found->d_name), (uint64_t)status.st_size, status.st_mtim};
        if (!entries[count].name) break;
        total += entries[count++].size;
    }
    closedir(stream);
    if (count) qsort(entries, count, sizeof *entries, by_use);
    for (size_t i = 0; i < count; i++) {
        if (total > limit && unlinkat(directory, entries[i].name, 0) == 0) total -= entries[i].size;
        free(entries[i].name);
    }
    free(entries);
}

/* Whether the disk has room for `size` bytes and as much again as the cache should leave to others, a twentieth of the disk. */
static bool disk_has_room(int directory, uint64_t size) {
    struct statvfs disk;
    if (fstatvfs(directory, &disk) != 0) return false;
    const uint64_t unit = disk.f_frsize, free_bytes = (uint64_t)disk.f_bavail * unit;
    return free_bytes > size && free_bytes - size > (uint64_t)disk.f_blocks / 20 * unit;
}

/* ---- making --------------------------------------------------------------------------------------------------------- */

/* Fills `descriptor`, a new file. *whole tells whether it may get its name; what goes wrong on the disk is no error. */
static AplErr fill_file(int descriptor, uint64_t size, AplCacheFill *fill, void *context, bool *whole) {
    *whole = false;
    /* the blocks are there before they are written: a full disk is noticed here, not by a signal */
    if (posix_fallocate(descriptor, 0, (off_t)size) != 0) return APL_OK;
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED) return APL_OK;
    AplErr error = fill(context, bytes);
    munmap(bytes, size);
    *whole = error == APL_OK;
    return error;
}

AplErr apli_cache_make(const char *name, uint64_t size, AplCacheFill *fill, void *context, AplMap **result) {
    APLI_AUTO_TEXT path = {0}, unfinished = {0};
    const uint64_t limit = limit_bytes();
    AplErr error = APL_OK;
    *result = NULL;
    if (size > limit || !directory_of(&path)) return APL_OK;
    make_directories(path.bytes);
    const int directory = open(path.bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return APL_OK;
    make_room(directory, size, limit);
    apli_text_printf(&unfinished, UNFINISHED "%s-%jd", name, (intmax_t)getpid());
    apli_text_append_string(&path, name);
    const int descriptor = apli_text_status(&unfinished) != APL_OK || !disk_has_room(directory, size) ? -1
                           : openat(directory, unfinished.bytes, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0) {
        bool whole;
        error = fill_file(descriptor, size, fill, context, &whole);
        close(descriptor);
        if (whole && renameat(directory, unfinished.bytes, directory, name) == 0) *result = apli_cache_find(name, size);
        else unlinkat(directory, unfinished.bytes, 0);
    }
    close(directory);
    return error;
}
