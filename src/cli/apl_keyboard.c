/* The backquote's layout. */
#include "cli/apl_keyboard.h"

#include <string.h>

/* Rows of the keyboard, plain and with shift, each over what it gives: the US layout of RIDE. */
static const char *const rows[][2] = {
    {"1234567890-=", "¨¯<≤=≥>≠∨∧×÷"},
    {"~!@#$%^&*()_+", "⋄⌶⍫⍒⍋⌽⍉⊖⍟⍱⍲!⌹"},
    {"qwertyuiop[]\\", "?⍵∊⍴~↑↓⍳○*←→⊢"},
    {"QWERTYUIOP{}|", "?⍵⍷⍴⍨↑↓⍸⍥⍣⍞⍬⊣"},
    {"asdfghjkl;'", "⍺⌈⌊_∇∆∘'⎕⍎⍕"},
    {"ASDFGHJKL:\"", "⍺⌈⌊_∇∆⍤⌸⌷≡≢"},
    {"zxcvbnm,./", "⊂⊃∩∪⊥⊤|⍝⍀⌿"},
    {"ZXCVBNM<>?", "⊆⊃∩∪⊥⊤|⍪⍙⍠"},
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

uint32_t apli_keyboard_glyph(uint32_t key) {
    if (key == ' ') return '`';
    for (int row = 0; row < ROW_COUNT; row++) {
        size_t at = 0;
        for (const char *k = rows[row][0]; *k; k++) {
            uint32_t glyph = apli_utf8_next(rows[row][1], strlen(rows[row][1]), &at);
            if ((unsigned char)*k == key) return glyph;
        }
    }
    return 0;
}

void apli_keyboard_list(AplText *text) {
    for (int row = 0; row < ROW_COUNT; row++) {
        size_t at = 0;
        for (const char *k = rows[row][0]; *k; k++) {
            apli_text_printf(text, "%c", *k);
            apli_text_append_codepoint(text, apli_utf8_next(rows[row][1], strlen(rows[row][1]), &at));
            apli_text_append_string(text, k[1] ? "  " : "\n");
        }
    }
    apli_text_append_string(text, "` and a blank: a backquote\n");
}
