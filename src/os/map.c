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
};

static AplErr map_descriptor(int descriptor, const char *path, AplMap *map) {
    struct stat status;
    FAIL_IF(fstat(descriptor, &status) != 0, APL_FILE_ACCESS, "%s: %s", path, strerror(errno));
    FAIL_IF(S_ISDIR(status.st_mode), APL_FILE_ACCESS, "%s: is a directory, not a file", path);
    FAIL_IF(!S_ISREG(status.st_mode), APL_FILE_ACCESS, "%s: is not a regular file", path);
    FAIL_IF(status.st_size == 0, APL_FILE_DATA, "%s: the file is empty", path);
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    FAIL_IF(bytes == MAP_FAILED, APL_FILE_ACCESS, "%s: cannot map %lld bytes: %s", path, (long long)status.st_size,
            strerror(errno));
    map->bytes = bytes;
    map->size = (uint64_t)status.st_size;
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
    munmap(map->bytes, (size_t)map->size);
    free(map);
}
