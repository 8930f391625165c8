/* The global functions of a template: Jinja's own and those that `transformers` adds. */
#include "model/template_internal.h"

#include <string.h>
#include <time.h>

JINJA_BUILTIN(range) {
    int64_t start = 0, stop, step = 1;
    TRY(apli_jinja_need_integer("range", &bound[0], &stop));
    if (bound[1].kind != JINJA_ABSENT) {
        start = stop;
        TRY(apli_jinja_need_integer("range", &bound[1], &stop));
    }
    if (bound[2].kind != JINJA_ABSENT) TRY(apli_jinja_need_integer("range", &bound[2], &step));
    FAIL_IF(step == 0, APL_DOMAIN, "range() arg 3 must not be zero");
    bool empty = step > 0 ? stop <= start : stop >= start;
    uint64_t distance = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    uint64_t stride = step > 0 ? (uint64_t)step : -(uint64_t)step;
    uint64_t count = empty ? 0 : (distance - 1) / stride + 1;
    FAIL_IF(count > JINJA_MAX_RANGE, APL_LIMIT, "range of %llu items, the limit is %d",
            (unsigned long long)count, JINJA_MAX_RANGE);
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, result));
    for (uint64_t i = 0; i < count; i++) result->items[i] = apli_jinja_integer(start + (int64_t)i * step);
    return APL_OK;
}

/* A dict of the keyword arguments, after those of a dict or of pairs that is given first. */
static AplErr gather(JinjaEvaluator *evaluator, JinjaKind kind, const JinjaArguments *all,
                     JinjaValue *result) {
    FAIL_IF(all->count > 1, APL_DOMAIN, "at most 1 argument without a name is expected, not %zu", all->count);
    JinjaValue made;
    TRY(apli_jinja_new_dict(evaluator, kind, all->named_count, &made));
    if (all->count && all->items[0].kind == JINJA_DICT) {
        const JinjaDict *from = all->items[0].dict;
        for (size_t i = 0; i < from->count; i++)
            TRY(apli_jinja_dict_put(evaluator, made.dict, &from->keys[i], &from->values[i]));
    } else if (all->count) {
        const JinjaValue *pairs;
        size_t count;
        TRY(apli_jinja_items(evaluator, &all->items[0], &pairs, &count));
        for (size_t i = 0; i < count; i++) {
            FAIL_IF(!apli_jinja_is_list(&pairs[i]) || pairs[i].length != 2, APL_DOMAIN, "item %zu is no pair",
                    i);
            TRY(apli_jinja_dict_put(evaluator, made.dict, &pairs[i].items[0], &pairs[i].items[1]));
        }
    }
    for (size_t i = 0; i < all->named_count; i++) {
        JinjaValue name = apli_jinja_string(all->names[i].bytes, all->names[i].length);
        TRY(apli_jinja_dict_put(evaluator, made.dict, &name, &all->named[i]));
    }
    *result = made;
    return APL_OK;
}

JINJA_BUILTIN(make_namespace) { return gather(evaluator, JINJA_NAMESPACE, all, result); }
JINJA_BUILTIN(make_dict) { return gather(evaluator, JINJA_DICT, all, result); }

JINJA_BUILTIN(raise_exception) {
    TRY(apli_jinja_to_string(evaluator, &bound[0], result));
    return apli_fail(APL_DOMAIN, "%.*s", (int)(result->length < 800 ? result->length : 800), result->bytes);
}

JINJA_BUILTIN(strftime_now) {
    char format[256], text[1024];
    TRY(apli_jinja_need_string("strftime_now", &bound[0]));
    FAIL_IF(bound[0].length >= sizeof format, APL_LIMIT, "a date's format of %u bytes", bound[0].length);
    memcpy(format, bound[0].bytes, bound[0].length);
    format[bound[0].length] = 0;
    time_t now = time(NULL);
    struct tm parts;
    if (!localtime_r(&now, &parts)) return apli_fail(APL_DOMAIN, "the clock's time has no date");
    return apli_jinja_copy_string(evaluator, text, strftime(text, sizeof text, format, &parts), result);
}

static const JinjaRow functions[] = {
    {"range", range, "start,stop,step", 1},
    {"namespace", make_namespace, NULL, 0},
    {"dict", make_dict, NULL, 0},
    {"raise_exception", raise_exception, "message", 1},
    {"strftime_now", strftime_now, "format", 1},
};

const JinjaRow *apli_jinja_find_row(const JinjaRow *rows, size_t count, JinjaString name) {
    for (size_t i = 0; i < count; i++)
        if (apli_jinja_equals_text(name, rows[i].name)) return &rows[i];
    return NULL;
}

const JinjaRow *apli_jinja_find_function(JinjaString name) {
    return apli_jinja_find_row(JINJA_ROWS(functions), name);
}
