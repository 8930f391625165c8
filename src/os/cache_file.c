/* The cache of files, by rename and least recent use (the time of modification, set at every use).

   A file is made under another name, which tells what it will be, and locked by its maker (flock): who wants the same file at
   the same time waits for it, and an unlocked one is what a killed process left. A file may have been renamed or removed between
   being opened and being locked; so who has the lock looks whether the name still means that file. */
#include "os/cache_file.h"

#include "base/text.h"
#include "os/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define UNFINISHED ".unfinished-" /* how the names of files begin that are being made */
#define MARK "aplaca cache file\n" /* after the content, with the file's name: neither a foreign file nor one of zeros has it */

enum { DEFAULT_LIMIT_GB = 20, TRAILER_BYTES = 128, WAIT_SECONDS = 60, WAIT_NANOSECONDS = 10 * 1000 * 1000 };

/* False when the variable is no number, or below 0. */
static bool read_limit(uint64_t *bytes) {
    const char *text = getenv("APLACA_CACHE_GB");
    char *end;
    *bytes = DEFAULT_LIMIT_GB * UINT64_C(1000000000);
    if (!text || !*text) return true;
    const double gigabytes = strtod(text, &end);
    const bool meant = end != text && !*end && gigabytes >= 0;
    *bytes = !meant ? 0 : gigabytes > 1e9 ? UINT64_MAX / 2 : (uint64_t)(gigabytes * 1e9);
    return meant;
}

static uint64_t limit_bytes(void) {
    uint64_t bytes;
    read_limit(&bytes);
    return bytes;
}

const char *apli_cache_complaint(void) {
    static _Thread_local char complaint[128];
    uint64_t bytes;
    if (read_limit(&bytes)) return NULL;
    snprintf(complaint, sizeof complaint, "APLACA_CACHE_GB is \"%.40s\": a number of gigabytes is wanted, 0 to keep nothing",
             getenv("APLACA_CACHE_GB"));
    return complaint;
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

/* What follows the content of the file `name`. */
static void write_trailer(uint8_t *trailer, const char *name) {
    memset(trailer, 0, TRAILER_BYTES);
    snprintf((char *)trailer, TRAILER_BYTES, "%s%s", MARK, name);
}

AplMap *apli_cache_find(const char *name, uint64_t size) {
    APLI_AUTO_TEXT path = {0};
    AplMap *map;
    uint8_t trailer[TRAILER_BYTES];
    if (!limit_bytes() || !directory_of(&path)) return NULL;
    apli_text_append_string(&path, name);
    if (apli_text_status(&path) != APL_OK || access(path.bytes, R_OK) != 0) return NULL;
    if (apli_map_open(path.bytes, &map) != APL_OK) return NULL;
    write_trailer(trailer, name);
    if (apli_map_size(map) != size + TRAILER_BYTES || memcmp(apli_map_bytes(map) + size, trailer, TRAILER_BYTES) != 0) {
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

typedef struct Entries {
    Entry *entries;
    size_t count, capacity;
    uint64_t total; /* bytes */
} Entries;

static bool add_entry(Entries *list, const char *name, const struct stat *status) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        Entry *larger = realloc(list->entries, list->capacity * sizeof *larger);
        if (!larger) return false;
        list->entries = larger;
    }
    list->entries[list->count] = (Entry){strdup(name), (uint64_t)status->st_size, status->st_mtim};
    if (!list->entries[list->count].name) return false;
    list->total += list->entries[list->count++].size;
    return true;
}

/* Whether the open file is the one of this name. */
static bool is_named(int descriptor, int directory, const char *name) {
    struct stat one, other;
    return fstat(descriptor, &one) == 0 && fstatat(directory, name, &other, AT_SYMLINK_NOFOLLOW) == 0 && one.st_ino == other.st_ino &&
           one.st_dev == other.st_dev;
}

/* Removes an unfinished file, unless its maker lives. */
static void remove_leftover(int directory, const char *name) {
    const int descriptor = openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_named(descriptor, directory, name)) unlinkat(directory, name, 0);
    close(descriptor);
}

static const char *ending_of(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? dot : "";
}

/* The cache's files: those of the directory that end as `name` does. Whatever else lies there is not touched, for the directory may
   be any that the user named. */
static void list_entries(int directory, const char *name, Entries *list) {
    const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? NULL : fdopendir(again);
    if (!stream && again >= 0) close(again);
    for (struct dirent *found; stream && (found = readdir(stream));) {
        struct stat status;
        if (fstatat(directory, found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) continue;
        if (strncmp(found->d_name, UNFINISHED, strlen(UNFINISHED)) == 0) remove_leftover(directory, found->d_name);
        else if (strcmp(ending_of(found->d_name), ending_of(name)) == 0 && !add_entry(list, found->d_name, &status)) break;
    }
    if (stream) closedir(stream);
    if (list->count) qsort(list->entries, list->count, sizeof *list->entries, by_use);
}

/* Bytes that a file may take: a twentieth of the disk is left to others. */
static uint64_t disk_room(int directory) {
    struct statvfs disk;
    if (fstatvfs(directory, &disk) != 0) return 0;
    const uint64_t kept = disk.f_blocks / 20;
    return disk.f_bavail > kept ? (disk.f_bavail - kept) * disk.f_frsize : 0;
}

/* Removes what killed processes left, then the least recently used files until `size` more bytes fit the limit and the disk; none
   when removing all would not do. */
static bool make_room(int directory, const char *name, uint64_t size, uint64_t limit) {
    Entries list = {0};
    list_entries(directory, name, &list);
    const bool possible = size <= limit && size <= disk_room(directory) + list.total;
    for (size_t i = 0; i < list.count; i++) {
        if (possible && (list.total + size > limit || disk_room(directory) < size) &&
            unlinkat(directory, list.entries[i].name, 0) == 0)
            list.total -= list.entries[i].size;
        free(list.entries[i].name);
    }
    free(list.entries);
    return possible && list.total + size <= limit && disk_room(directory) >= size;
}

/* ---- making --------------------------------------------------------------------------------------------------------- */

/* Opens the unfinished file, made or left by a killed process, and locks it; waits while another process makes it. -1 when that
   one has finished, takes too long, or there can be no such file. */
static int lock_unfinished(int directory, const char *unfinished) {
    const double begin = apli_clock_seconds();
    const int descriptor = openat(directory, unfinished, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    while (descriptor >= 0 && is_named(descriptor, directory, unfinished)) {
        if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
            if (is_named(descriptor, directory, unfinished)) return descriptor;
            break;
        }
        if (errno != EWOULDBLOCK || apli_clock_seconds() - begin > WAIT_SECONDS) break;
        if (nanosleep(&(struct timespec){.tv_nsec = WAIT_NANOSECONDS}, NULL) != 0) break; /* a signal: Ctrl-C */
    }
    if (descriptor >= 0) close(descriptor);
    return -1;
}

/* Fills the file. *whole tells whether it may get its name; what goes wrong on the disk is no error. */
static AplErr fill_file(int descriptor, const char *name, uint64_t size, AplCacheFill *fill, void *context, bool *whole) {
    const uint64_t all = size + TRAILER_BYTES;
    *whole = false;
    /* the blocks are there before they are written: a full disk is noticed here, not by a signal */
    if (posix_fallocate(descriptor, 0, (off_t)all) != 0) return APL_OK;
    uint8_t *bytes = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED) return APL_OK;
    AplErr error = fill(context, bytes);
    write_trailer(bytes + size, name);
    munmap(bytes, all);
    *whole = !error && fdatasync(descriptor) == 0; /* a name that outlives a loss of power has its content */
    return error;
}

static AplErr make_file(int directory, const char *name, const char *unfinished, uint64_t size, AplCacheFill *fill, void *context) {
    const int descriptor = lock_unfinished(directory, unfinished);
    if (descriptor < 0) return APL_OK;
    bool whole = false;
    AplErr error = APL_OK;
    if (ftruncate(descriptor, 0) == 0 && make_room(directory, name, size + TRAILER_BYTES, limit_bytes()))
        error = fill_file(descriptor, name, size, fill, context, &whole);
    if (!whole || renameat(directory, unfinished, directory, name) != 0) unlinkat(directory, unfinished, 0);
    close(descriptor); /* only now: the lock covers the name */
    return error;
}

AplErr apli_cache_make(const char *name, uint64_t size, AplCacheFill *fill, void *context, AplMap **result) {
    APLI_AUTO_TEXT path = {0}, unfinished = {0};
    struct rlimit largest; /* a file beyond it would end the process */
    AplErr error = APL_OK;
    *result = NULL;
    if (size > limit_bytes() || getrlimit(RLIMIT_FSIZE, &largest) != 0 || size + TRAILER_BYTES > largest.rlim_cur) return APL_OK;
    apli_text_printf(&unfinished, UNFINISHED "%s", name);
    if (!directory_of(&path) || apli_text_status(&unfinished) != APL_OK) return APL_OK;
    make_directories(path.bytes);
    const int directory = open(path.bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* twice: a file that another process made at the same time may have been removed again */
    for (int attempt = 0; directory >= 0 && attempt < 2 && !error && !*result; attempt++) {
        error = make_file(directory, name, unfinished.bytes, size, fill, context);
        if (!error) *result = apli_cache_find(name, size);
    }
    if (directory >= 0) close(directory);
    return error;
}
