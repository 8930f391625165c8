/* base/text: growth and UTF-8. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void every_codepoint_survives_the_round_trip(void **state) {
    (void)state;
    for (uint32_t codepoint = 0; codepoint <= 0x10FFFF; codepoint++) {
        if (codepoint >= 0xD800 && codepoint < 0xE000) continue;
        char bytes[4];
        size_t length = apli_utf8_put(codepoint, bytes), position = 0;
        assert_true(apli_utf8_valid(bytes, length, NULL));
        assert_int_equal(apli_utf8_next(bytes, length, &position), codepoint);
        assert_int_equal(position, length);
    }
}

static void ill_formed_sequences_are_replaced_byte_by_byte(void **state) {
    (void)state;
    /* overlong '/', a surrogate, past U+10FFFF, a lone continuation, a cut sequence (Unicode 15, table 3-7) */
    const char *wrong[] = {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x8D"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t position = 0, length = strlen(wrong[i]);
        assert_false(apli_utf8_valid(wrong[i], length, &position));
        assert_int_equal(position, 0);
        assert_int_equal(apli_utf8_next(wrong[i], length, &position), 0xFFFD);
        assert_int_equal(position, 1);
    }
}

static void a_text_grows_and_stays_terminated(void **state) {
    (void)state;
    APLI_AUTO_TEXT text = {0};
    assert_string_equal(apli_text_string(&text), "");
    for (int i = 0; i < 1000; i++) apli_text_printf(&text, "%d,", i);
    assert_int_equal(text.length, 3890);
    assert_int_equal(strlen(text.bytes), text.length);
    assert_int_equal(apli_text_status(&text), APL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codepoint_survives_the_round_trip),
        cmocka_unit_test(ill_formed_sequences_are_replaced_byte_by_byte),
        cmocka_unit_test(a_text_grows_and_stays_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
