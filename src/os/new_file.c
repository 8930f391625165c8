/* Files that appear whole, by mkstemp and rename, and files in memory, by Linux's memfd_create. */
#include "os/new_file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct AplNewFile {
    int descriptor;
    AplText path;      /* what it will be called, or /proc/<process>/fd/<number> */
    AplText temporary; /* what it is called until then; "" for a file in memory */
    bool committed;
};

static AplErr file_error(const char *path) {
    const bool no_such = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
    return apli_fail(no_such ? APL_FILE_NAME : APL_FILE_ACCESS, "%s: %s", path, strerror(errno));
}

static AplErr make(AplNewFile **result) {
    *result = calloc(1, sizeof **result);
    FAIL_IF(!*result, APL_WS_FULL, "no memory for a new file");
    (*result)->descriptor = -1;
    return APL_OK;
}

/* Opens the temporary file, with the rights of the file that it is to replace, or those that a file has that is simply made. */
static AplErr open_temporary(AplNewFile *file, const char *path) {
    apli_text_append_string(&file->path, path);
    apli_text_printf(&file->temporary, "%s.XXXXXX", path);
    TRY(apli_text_status(&file->path));
    TRY(apli_text_status(&file->temporary));
    file->descriptor = mkostemp(file->temporary.bytes, O_CLOEXEC);
    if (file->descriptor < 0) {
        file->committed = true; /* there is nothing to remove */
        return file_error(path);
    }
    struct stat old;
    const mode_t mask = umask(0);
    umask(mask);
    const mode_t rights = stat(path, &old) == 0 ? old.st_mode & 07777 : 0666 & ~mask;
    return fchmod(file->descriptor, rights) ? file_error(path) : APL_OK;
}

AplErr apli_new_file(const char *path, AplNewFile **result) {
    AplNewFile *file = NULL;
    TRY(make(&file));
    AplErr error = open_temporary(file, path);
    if (error) apli_new_file_free(file);
    else *result = file;
    return error;
}

static AplErr open_memory(AplNewFile *file, const char *name) {
    file->descriptor = memfd_create(name, MFD_CLOEXEC);
    if (file->descriptor < 0) return file_error(name);
    apli_text_printf(&file->path, "/proc/%ld/fd/%d", (long)getpid(), file->descriptor);
    return apli_text_status(&file->path);
}

AplErr apli_new_file_in_memory(const char *name, AplNewFile **result) {
    AplNewFile *file = NULL;
    TRY(make(&file));
    AplErr error = open_memory(file, name);
    if (error) apli_new_file_free(file);
    else *result = file;
    return error;
}

AplErr apli_new_file_write(AplNewFile *file, const void *bytes, size_t size) {
    for (const char *next = bytes; size;) {
        const ssize_t written = write(file->descriptor, next, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return file_error(file->path.bytes);
        next += written;
        size -= (size_t)written;
    }
    return APL_OK;
}

AplErr apli_new_file_commit(AplNewFile *file) {
    if (!file->temporary.length) return APL_OK;
    if (fsync(file->descriptor) || rename(file->temporary.bytes, file->path.bytes)) return file_error(file->path.bytes);
    file->committed = true;
    return APL_OK;
}

const char *apli_new_file_path(const AplNewFile *file) { return file->path.bytes; }

void apli_new_file_free(AplNewFile *file) {
    if (!file) return;
    if (file->temporary.length && !file->committed) unlink(file->temporary.bytes);
    if (file->descriptor >= 0) close(file->descriptor);
    apli_text_free(&file->path);
    apli_text_free(&file->temporary);
    free(file);
}
