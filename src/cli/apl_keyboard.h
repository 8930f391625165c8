/* APL characters from any keyboard: a backquote and a key, in the layout that Dyalog's RIDE has for US keyboards. */
#ifndef APLI_CLI_APL_KEYBOARD_H
#define APLI_CLI_APL_KEYBOARD_H

#include "base/text.h"

/* What the backquote and this key write; 0: nothing. */
uint32_t apli_keyboard_glyph(uint32_t key);
/* The whole layout, as four rows of keys with their glyphs. */
void apli_keyboard_list(AplText *text);

#endif
