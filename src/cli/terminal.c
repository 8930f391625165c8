/* Progress bars and visible text. */
#include "cli/terminal.h"

#include "os/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 30 };

void apli_progress_show(AplProgress *progress, int64_t done, int64_t total, const char *note) {
    static const double least_interval = 0.1;
    if (!isatty(STDERR_FILENO)) return;
    const double now = apli_clock_seconds();
    if (progress->started == 0) progress->started = now;
    if (progress->visible && done < total && now - progress->shown < least_interval) return;
    progress->shown = now;
    progress->visible = true;
    char bar[BAR_CELLS + 1];
    const int full = total > 0 ? (int)(BAR_CELLS * done / total) : 0;
    memset(bar, '#', (size_t)full);
    memset(bar + full, '.', (size_t)(BAR_CELLS - full));
    bar[BAR_CELLS] = 0;
    fprintf(stderr, "\r\033[K%s %" PRId64 "/%" PRId64, bar, done, total);
    if (done > 0) {
        const int left = (int)((now - progress->started) / (double)done * (double)(total - done));
        fprintf(stderr, ", %d:%02d left", left / 60, left % 60);
    }
    fprintf(stderr, "%s%s", *note ? ", " : "", note);
    fflush(stderr);
}

void apli_progress_end(AplProgress *progress) {
    if (progress->visible) fputs("\r\033[K", stderr);
    progress->visible = false;
}

void apli_text_append_visible(AplText *text, const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t next = at;
        const uint32_t codepoint = apli_utf8_next(bytes, length, &next);
        const unsigned char byte = (unsigned char)bytes[at];
        const bool invalid = codepoint == 0xFFFD && next == at + 1;
        if (byte == '\n') apli_text_append_string(text, "\\n");
        else if (byte == '\t') apli_text_append_string(text, "\\t");
        else if (invalid || codepoint < 0x20 || codepoint == 0x7F) apli_text_printf(text, "\\x%02x", byte);
        else if (codepoint >= 0x80 && codepoint < 0xA0) apli_text_printf(text, "\\u%04x", codepoint);
        else apli_text_append(text, bytes + at, next - at);
        at = next;
    }
}

void apli_text_append_bytes(AplText *text, double bytes) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 999.95 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    apli_text_printf(text, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}
