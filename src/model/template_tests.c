/* The tests behind `is`, one row each. */
#include "model/template_internal.h"

#define TEST(name, expression) \
    JINJA_BUILTIN(name) { \
        *result = apli_jinja_boolean(expression); \
        return APL_OK; \
    }

TEST(is_defined, subject->kind != JINJA_UNDEFINED)
TEST(is_undefined, subject->kind == JINJA_UNDEFINED)
TEST(is_none, subject->kind == JINJA_NONE)
TEST(is_string, subject->kind == JINJA_STRING)
TEST(is_mapping, subject->kind == JINJA_DICT)
TEST(is_boolean, subject->kind == JINJA_BOOLEAN)
TEST(is_true, subject->kind == JINJA_BOOLEAN && subject->boolean)
TEST(is_false, subject->kind == JINJA_BOOLEAN && !subject->boolean)
TEST(is_number, apli_jinja_is_number(subject))
TEST(is_integer, subject->kind == JINJA_INTEGER)
TEST(is_float, subject->kind == JINJA_REAL)
TEST(is_callable, subject->kind == JINJA_FUNCTION || subject->kind == JINJA_UNDEFINED)
TEST(is_sequence, subject->kind == JINJA_STRING || apli_jinja_is_list(subject) ||
                      subject->kind == JINJA_DICT || subject->kind == JINJA_UNDEFINED)
TEST(is_iterable, subject->kind == JINJA_STRING || apli_jinja_is_list(subject) ||
                      subject->kind == JINJA_DICT || subject->kind == JINJA_UNDEFINED ||
                      subject->kind == JINJA_LOOP)

/* Python's `is`: small things are the same when they are equal and of one type. */
JINJA_BUILTIN(is_same) {
    bool equal = false;
    if (subject->kind == bound[0].kind) {
        if (apli_jinja_is_list(subject) || subject->kind == JINJA_DICT)
            equal = subject->items == bound[0].items;
        else TRY(apli_jinja_equal(evaluator, subject, &bound[0], &equal));
    }
    *result = apli_jinja_boolean(equal);
    return APL_OK;
}

static AplErr remainder_of(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue *divisor,
                           int64_t wanted, JinjaValue *result) {
    JinjaValue rest, expected = apli_jinja_integer(wanted);
    bool equal;
    FAIL_IF(!apli_jinja_is_number(value) && value->kind != JINJA_UNDEFINED, APL_DOMAIN,
            "a number is needed, not %s", apli_jinja_type_name(value));
    TRY(apli_jinja_binary(evaluator, '%', value, divisor, &rest));
    TRY(apli_jinja_equal(evaluator, &rest, &expected, &equal));
    *result = apli_jinja_boolean(equal);
    return APL_OK;
}

JINJA_BUILTIN(is_odd) {
    JinjaValue two = apli_jinja_integer(2);
    return remainder_of(evaluator, subject, &two, 1, result);
}

JINJA_BUILTIN(is_even) {
    JinjaValue two = apli_jinja_integer(2);
    return remainder_of(evaluator, subject, &two, 0, result);
}

JINJA_BUILTIN(is_divisible) { return remainder_of(evaluator, subject, &bound[0], 0, result); }

static AplErr compare(JinjaEvaluator *evaluator, int operation, const JinjaValue *left,
                      const JinjaValue *right, JinjaValue *result) {
    bool holds;
    TRY(apli_jinja_compare(evaluator, operation, left, right, &holds));
    *result = apli_jinja_boolean(holds);
    return APL_OK;
}

#define COMPARISON(name, operation) \
    JINJA_BUILTIN(name) { return compare(evaluator, operation, subject, &bound[0], result); }

COMPARISON(is_equal, JINJA_PAIR('=', '='))
COMPARISON(is_not_equal, JINJA_PAIR('!', '='))
COMPARISON(is_less, '<')
COMPARISON(is_less_or_equal, JINJA_PAIR('<', '='))
COMPARISON(is_greater, '>')
COMPARISON(is_greater_or_equal, JINJA_PAIR('>', '='))
COMPARISON(is_in, JINJA_IN)

static AplErr is_case(JinjaEvaluator *evaluator, const JinjaValue *value, bool upper, JinjaValue *result) {
    JinjaValue string, same_case, other_case;
    bool same, caseless;
    TRY(apli_jinja_to_string(evaluator, value, &string));
    TRY(apli_jinja_change_case(evaluator, &string, upper, &same_case));
    TRY(apli_jinja_change_case(evaluator, &string, !upper, &other_case));
    TRY(apli_jinja_equal(evaluator, &string, &same_case, &same));
    TRY(apli_jinja_equal(evaluator, &string, &other_case, &caseless));
    *result = apli_jinja_boolean(same && !caseless);
    return APL_OK;
}

JINJA_BUILTIN(is_upper) { return is_case(evaluator, subject, true, result); }
JINJA_BUILTIN(is_lower) { return is_case(evaluator, subject, false, result); }

JINJA_BUILTIN(names_filter) {
    TRY(apli_jinja_need_string("filter", subject));
    *result =
        apli_jinja_boolean(apli_jinja_find_filter((JinjaString){subject->bytes, subject->length}) != NULL);
    return APL_OK;
}

JINJA_BUILTIN(names_test) {
    TRY(apli_jinja_need_string("test", subject));
    *result =
        apli_jinja_boolean(apli_jinja_find_test((JinjaString){subject->bytes, subject->length}) != NULL);
    return APL_OK;
}

static const JinjaRow tests[] = {
    {"defined", is_defined, "", 0},
    {"undefined", is_undefined, "", 0},
    {"none", is_none, "", 0},
    {"string", is_string, "", 0},
    {"mapping", is_mapping, "", 0},
    {"boolean", is_boolean, "", 0},
    {"true", is_true, "", 0},
    {"false", is_false, "", 0},
    {"number", is_number, "", 0},
    {"integer", is_integer, "", 0},
    {"float", is_float, "", 0},
    {"callable", is_callable, "", 0},
    {"sequence", is_sequence, "", 0},
    {"iterable", is_iterable, "", 0},
    {"sameas", is_same, "other", 1},
    {"odd", is_odd, "", 0},
    {"even", is_even, "", 0},
    {"divisibleby", is_divisible, "num", 1},
    {"eq", is_equal, "other", 1},
    {"equalto", is_equal, "other", 1},
    {"==", is_equal, "other", 1},
    {"ne", is_not_equal, "other", 1},
    {"!=", is_not_equal, "other", 1},
    {"lt", is_less, "other", 1},
    {"lessthan", is_less, "other", 1},
    {"<", is_less, "other", 1},
    {"le", is_less_or_equal, "other", 1},
    {"<=", is_less_or_equal, "other", 1},
    {"gt", is_greater, "other", 1},
    {"greaterthan", is_greater, "other", 1},
    {">", is_greater, "other", 1},
    {"ge", is_greater_or_equal, "other", 1},
    {">=", is_greater_or_equal, "other", 1},
    {"in", is_in, "seq", 1},
    {"upper", is_upper, "", 0},
    {"lower", is_lower, "", 0},
    {"filter", names_filter, "", 0},
    {"test", names_test, "", 0},
};

const JinjaRow *apli_jinja_find_test(JinjaString name) {
    return apli_jinja_find_row(JINJA_ROWS(tests), name);
}
