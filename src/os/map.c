/* Read-only mappings, by POSIX mmap. */
#include "os/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct AplMap {
    atomic_int references;
    uint8_t *bytes;
    uint64_t size;
    size_t reserved; /* size, up to the page's end, and a page more */
};

static AplErr map_descriptor(int descriptor, const char *path, AplMap *map) {
    struct stat status;
    FAIL_IF(fstat(descriptor, &status) != 0, APL_FILE_ACCESS, "%s: %s", path, strerror(errno));
    FAIL_IF(S_ISDIR(status.st_mode), APL_FILE_ACCESS, "%s: is a directory, not a file", path);
    FAIL_IF(!S_ISREG(status.st_mode), APL_FILE_ACCESS, "%s: is not a regular file", path);
    FAIL_IF(status.st_size == 0, APL_FILE_DATA, "%s: the file is empty", path);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)status.st_size;
    map->reserved = (size + page - 1) / page * page + page;
    map->bytes = mmap(NULL, map->reserved, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAIL_IF(map->bytes == MAP_FAILED, APL_WS_FULL, "%s: no room to map %zu bytes: %s", path, size, strerror(errno));
    if (mmap(map->bytes, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
        AplErr outcome = apli_fail(APL_FILE_ACCESS, "%s: cannot map %zu bytes: %s", path, size, strerror(errno));
        munmap(map->bytes, map->reserved);
        return outcome;
    }
    map->size = size;
    return APL_OK;
}

AplErr apli_map_open(const char *path, AplMap **result) {
    /* a pipe without a writer would block */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FAIL_IF(descriptor < 0, errno == ENOENT || errno == ENOTDIR ? APL_FILE_NAME : APL_FILE_ACCESS, "%s: %s", path,
            strerror(errno));
    AplMap *map = calloc(1, sizeof *map);
    AplErr outcome = map ? map_descriptor(descriptor, path, map)
                         : apli_fail(APL_WS_FULL, "%s: no memory for a mapping", path);
    close(descriptor);
    if (outcome != APL_OK) {
        free(map);
        return outcome;
    }
    atomic_init(&map->references, 1);
    *result = map;
    return APL_OK;
}

const uint8_t *apli_map_bytes(const AplMap *map) { return map->bytes; }
uint64_t apli_map_size(const AplMap *map) { return map->size; }

AplMap *apli_map_retain(AplMap *map) {
    atomic_fetch_add_explicit(&map->references, 1, memory_order_relaxed);
    return map;
}

void apli_map_release(void *owner) {
    AplMap *map = owner;
    if (!map || atomic_fetch_sub_explicit(&map->references, 1, memory_order_acq_rel) != 1) return;
    munmap(map->bytes, map->reserved);
    free(map);
}
