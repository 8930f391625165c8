/* Arithmetic, comparison, attributes, indexes and slices, as Python has them; integers are 64 bits, and an
   overflow is a LIMIT ERROR. */
#include "model/template_internal.h"

#include <math.h>
#include <string.h>

enum { FLOOR_DIVIDE = JINJA_PAIR('/', '/'), POWER = JINJA_PAIR('*', '*') };

static AplErr overflow(void) { return apli_fail(APL_LIMIT, "an integer of more than 64 bits"); }

static AplErr integer_power(int64_t base, int64_t exponent, JinjaValue *result) {
    int64_t power = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1 && __builtin_mul_overflow(power, base, &power)) return overflow();
        if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) return overflow();
    }
    *result = apli_jinja_integer(power);
    return APL_OK;
}

static AplErr integer_arithmetic(int operation, int64_t a, int64_t b, JinjaValue *result) {
    int64_t value = 0;
    bool divides = operation == FLOOR_DIVIDE || operation == '%' || operation == '/';
    FAIL_IF(divides && b == 0, APL_DOMAIN, "division by zero");
    switch (operation) {
    case '+':
        if (__builtin_add_overflow(a, b, &value)) return overflow();
        break;
    case '-':
        if (__builtin_sub_overflow(a, b, &value)) return overflow();
        break;
    case '*':
        if (__builtin_mul_overflow(a, b, &value)) return overflow();
        break;
    case FLOOR_DIVIDE:
        if (b == -1) return integer_arithmetic('-', 0, a, result);
        value = a / b - (a % b != 0 && (a % b < 0) != (b < 0));
        break;
    case '%':
        value = b == -1 ? 0 : a % b;
        if (value && (value < 0) != (b < 0)) value += b;
        break;
    case '/': *result = apli_jinja_real((double)a / (double)b); return APL_OK;
    default:
        if (b >= 0) return integer_power(a, b, result);
        FAIL_IF(a == 0, APL_DOMAIN, "0 cannot be raised to a negative power");
        *result = apli_jinja_real(pow((double)a, (double)b));
        return APL_OK;
    }
    *result = apli_jinja_integer(value);
    return APL_OK;
}

static AplErr real_arithmetic(int operation, double a, double b, JinjaValue *result) {
    bool divides = operation == FLOOR_DIVIDE || operation == '%' || operation == '/';
    FAIL_IF(divides && b == 0, APL_DOMAIN, "division by zero");
    double value, remainder;
    switch (operation) {
    case '+': value = a + b; break;
    case '-': value = a - b; break;
    case '*': value = a * b; break;
    case '/': value = a / b; break;
    case POWER: value = pow(a, b); break;
    default:
        remainder = fmod(a, b);
        if (remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
        value = operation == '%' ? remainder : floor((a - remainder) / b + 0.5);
    }
    *result = apli_jinja_real(value);
    return APL_OK;
}

/* String or list `value`, `times` over. */
static AplErr repeat(JinjaEvaluator *evaluator, const JinjaValue *value, int64_t times, JinjaValue *result) {
    size_t count = times > 0 ? (size_t)times : 0, total;
    size_t size = value->kind == JINJA_STRING ? 1 : sizeof(JinjaValue);
    FAIL_IF(__builtin_mul_overflow(count, value->length, &total) || total > JINJA_MAX_MEMORY / size,
            APL_LIMIT, "%zu repetitions of %u items", count, value->length);
    TRY(apli_jinja_spend(evaluator, total * size / 64));
    if (value->length == 0) count = 0;
    void *memory;
    TRY(apli_arena_allocate(&evaluator->arena, total * size, &memory));
    for (size_t i = 0; i < count; i++)
        memcpy((char *)memory + i * value->length * size, value->bytes, value->length * size);
    *result = *value;
    result->length = (uint32_t)total;
    result->bytes = memory;
    return APL_OK;
}

static AplErr join(JinjaEvaluator *evaluator, const JinjaValue *a, const JinjaValue *b, JinjaValue *result) {
    size_t size = a->kind == JINJA_STRING ? 1 : sizeof(JinjaValue), total = (size_t)a->length + b->length;
    FAIL_IF(total > JINJA_MAX_MEMORY / size, APL_LIMIT, "a result of %zu items", total);
    TRY(apli_jinja_spend(evaluator, total * size / 64));
    void *memory;
    TRY(apli_arena_allocate(&evaluator->arena, total * size, &memory));
    if (a->length) memcpy(memory, a->bytes, a->length * size);
    if (b->length) memcpy((char *)memory + a->length * size, b->bytes, b->length * size);
    *result = *a;
    result->length = (uint32_t)total;
    result->bytes = memory;
    return APL_OK;
}

AplErr apli_jinja_binary(JinjaEvaluator *evaluator, int operation, const JinjaValue *left,
                         const JinjaValue *right, JinjaValue *result) {
    FAIL_IF(left->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)left->length, left->bytes);
    if (left->kind == JINJA_STRING && operation == '%')
        return apli_jinja_percent(evaluator, left, right, result);
    FAIL_IF(right->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)right->length, right->bytes);
    if (apli_jinja_is_integral(left) && apli_jinja_is_integral(right))
        return integer_arithmetic(operation, apli_jinja_to_integer(left), apli_jinja_to_integer(right),
                                  result);
    if (apli_jinja_is_number(left) && apli_jinja_is_number(right))
        return real_arithmetic(operation, apli_jinja_to_real(left), apli_jinja_to_real(right), result);
    bool left_sequence = left->kind == JINJA_STRING || apli_jinja_is_list(left);
    bool right_sequence = right->kind == JINJA_STRING || apli_jinja_is_list(right);
    if (operation == '+' && left_sequence && left->kind == right->kind)
        return join(evaluator, left, right, result);
    if (operation == '*' && left_sequence && apli_jinja_is_integral(right))
        return repeat(evaluator, left, apli_jinja_to_integer(right), result);
    if (operation == '*' && right_sequence && apli_jinja_is_integral(left))
        return repeat(evaluator, right, apli_jinja_to_integer(left), result);
    FAIL_IF(operation == '+' && left->kind == JINJA_STRING, APL_DOMAIN,
            "can only concatenate str (not \"%s\") to str", apli_jinja_type_name(right));
    char name[3] = {(char)(operation > 255 ? operation >> 8 : operation),
                    (char)(operation > 255 ? operation & 255 : 0), 0};
    return apli_fail(APL_DOMAIN, "unsupported operand types for %s: '%s' and '%s'", name,
                     apli_jinja_type_name(left), apli_jinja_type_name(right));
}

static AplErr contains(JinjaEvaluator *evaluator, const JinjaValue *item, const JinjaValue *container,
                       bool *result) {
    *result = false;
    if (container->kind == JINJA_STRING) {
        FAIL_IF(item->kind != JINJA_STRING, APL_DOMAIN,
                "'in <string>' requires string as left operand, not %s", apli_jinja_type_name(item));
        TRY(apli_jinja_spend(evaluator, container->length / 16));
        *result = item->length == 0 ||
                  apli_jinja_search(container->bytes, container->length, item->bytes, item->length);
        return APL_OK;
    }
    if (container->kind == JINJA_DICT) {
        JinjaValue *found;
        TRY(apli_jinja_dict_get(evaluator, container->dict, item, &found));
        *result = found != NULL;
        return APL_OK;
    }
    const JinjaValue *items;
    size_t count;
    TRY(apli_jinja_items(evaluator, container, &items, &count));
    for (size_t i = 0; !*result && i < count; i++) TRY(apli_jinja_equal(evaluator, &items[i], item, result));
    return APL_OK;
}

AplErr apli_jinja_compare(JinjaEvaluator *evaluator, int operation, const JinjaValue *left,
                          const JinjaValue *right, bool *result) {
    if (operation == JINJA_IN || operation == JINJA_NOT_IN) {
        TRY(contains(evaluator, left, right, result));
        *result ^= operation == JINJA_NOT_IN;
        return APL_OK;
    }
    if (operation == JINJA_PAIR('=', '=') || operation == JINJA_PAIR('!', '=')) {
        TRY(apli_jinja_equal(evaluator, left, right, result));
        *result ^= operation == JINJA_PAIR('!', '=');
        return APL_OK;
    }
    int order;
    TRY(apli_jinja_order(evaluator, left, right, &order));
    bool unordered =
        apli_jinja_is_number(left) && (isnan(apli_jinja_to_real(left)) || isnan(apli_jinja_to_real(right)));
    *result = !unordered && (operation == '<'                    ? order < 0
                             : operation == '>'                  ? order > 0
                             : operation == JINJA_PAIR('<', '=') ? order <= 0
                                                                 : order >= 0);
    return APL_OK;
}

static AplErr loop_attribute(JinjaEvaluator *evaluator, const JinjaLoop *loop, JinjaString name,
                             JinjaValue *result) {
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"index", (int64_t)loop->index + 1},
                   {"index0", (int64_t)loop->index},
                   {"revindex", (int64_t)(loop->count - loop->index)},
                   {"revindex0", (int64_t)(loop->count - loop->index) - 1},
                   {"length", (int64_t)loop->count},
                   {"depth", loop->depth + 1},
                   {"depth0", loop->depth}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!apli_jinja_equals_text(name, numbers[i].name)) continue;
        *result = apli_jinja_integer(numbers[i].value);
        return APL_OK;
    }
    bool last = loop->index + 1 == loop->count;
    if (apli_jinja_equals_text(name, "first")) *result = apli_jinja_boolean(loop->index == 0);
    else if (apli_jinja_equals_text(name, "last")) *result = apli_jinja_boolean(last);
    else if (apli_jinja_equals_text(name, "previtem") && loop->index) *result = loop->items[loop->index - 1];
    else if (apli_jinja_equals_text(name, "nextitem") && !last) *result = loop->items[loop->index + 1];
    else if (apli_jinja_equals_text(name, "previtem"))
        return apli_jinja_undefined(evaluator, result, "there is no previous item");
    else if (apli_jinja_equals_text(name, "nextitem"))
        return apli_jinja_undefined(evaluator, result, "there is no next item");
    else return APL_VALUE;
    return APL_OK;
}

/* A method of the value, if it has one by this name; otherwise *found is false. */
static AplErr find_method(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaString name,
                          JinjaValue *result, bool *found) {
    const JinjaRow *row = apli_jinja_find_method(value->kind, name);
    *found = row != NULL;
    if (!row) return APL_OK;
    void *memory;
    TRY(apli_arena_zeroed(&evaluator->arena, sizeof(JinjaFunction), &memory));
    *result = (JinjaValue){.kind = JINJA_FUNCTION, .function = memory};
    result->function->row = row;
    result->function->subject = *value;
    return APL_OK;
}

static AplErr missing_attribute(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaString name,
                                JinjaValue *result) {
    return apli_jinja_undefined(evaluator, result, "'%s object' has no attribute '%.*s'",
                                apli_jinja_type_name(value), (int)(name.length < 80 ? name.length : 80),
                                name.bytes);
}

AplErr apli_jinja_attribute(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaString name,
                            JinjaValue *result) {
    FAIL_IF(value->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)value->length, value->bytes);
    bool found;
    TRY(find_method(evaluator, value, name, result, &found));
    if (found) return APL_OK;
    if (value->kind == JINJA_LOOP && loop_attribute(evaluator, value->loop, name, result) == APL_OK)
        return APL_OK;
    if (value->kind == JINJA_DICT || value->kind == JINJA_NAMESPACE) {
        JinjaValue key = apli_jinja_string(name.bytes, name.length), *present;
        TRY(apli_jinja_dict_get(evaluator, value->dict, &key, &present));
        if (present) {
            *result = *present;
            return APL_OK;
        }
    }
    return missing_attribute(evaluator, value, name, result);
}

AplErr apli_jinja_subscript(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue *key,
                            JinjaValue *result) {
    FAIL_IF(value->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)value->length, value->bytes);
    if (value->kind == JINJA_DICT && key->kind != JINJA_LIST && key->kind != JINJA_DICT) {
        JinjaValue *present;
        TRY(apli_jinja_dict_get(evaluator, value->dict, key, &present));
        if (present) {
            *result = *present;
            return APL_OK;
        }
    }
    if ((value->kind == JINJA_STRING || apli_jinja_is_list(value)) && apli_jinja_is_integral(key)) {
        size_t count;
        TRY(apli_jinja_length(evaluator, value, &count));
        int64_t index = apli_jinja_to_integer(key);
        if (index < 0) index += (int64_t)count;
        if (index < 0 || index >= (int64_t)count)
            return apli_jinja_undefined(evaluator, result, "%s object has no element %lld",
                                        apli_jinja_type_name(value), (long long)apli_jinja_to_integer(key));
        if (value->kind != JINJA_STRING) {
            *result = value->items[index];
            return APL_OK;
        }
        size_t at = 0, begin = 0;
        for (int64_t i = 0; i <= index; i++) {
            begin = at;
            apli_utf8_next(value->bytes, value->length, &at);
        }
        *result = apli_jinja_string(value->bytes + begin, at - begin);
        return APL_OK;
    }
    if (key->kind == JINJA_STRING) {
        JinjaString name = {key->bytes, key->length};
        bool found;
        TRY(find_method(evaluator, value, name, result, &found));
        if (found) return APL_OK;
        if (value->kind == JINJA_NAMESPACE || value->kind == JINJA_LOOP)
            return apli_jinja_attribute(evaluator, value, name, result);
        return missing_attribute(evaluator, value, name, result);
    }
    return apli_jinja_undefined(evaluator, result, "'%s object' has no such element",
                                apli_jinja_type_name(value));
}

/* A bound of a slice, in 0..count (or -1..count-1 for steps down), as Python's slice.indices() has it. */
static AplErr slice_bound(const JinjaValue *part, int64_t count, bool down, int64_t otherwise,
                          int64_t *bound) {
    *bound = otherwise;
    if (part->kind == JINJA_ABSENT || part->kind == JINJA_NONE) return APL_OK;
    FAIL_IF(!apli_jinja_is_integral(part), APL_DOMAIN, "slice indices must be integers or None, not %s",
            apli_jinja_type_name(part));
    *bound = apli_jinja_to_integer(part);
    int64_t least = down ? -1 : 0, most = down ? count - 1 : count;
    if (*bound < 0) *bound += count;
    if (*bound < least) *bound = least;
    if (*bound > most) *bound = most;
    return APL_OK;
}

AplErr apli_jinja_slice(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue parts[3],
                        JinjaValue *result) {
    FAIL_IF(value->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)value->length, value->bytes);
    FAIL_IF(value->kind != JINJA_STRING && !apli_jinja_is_list(value), APL_DOMAIN, "a %s cannot be sliced",
            apli_jinja_type_name(value));
    const JinjaValue *items;
    size_t count;
    TRY(apli_jinja_items(evaluator, value, &items, &count));
    int64_t step = 1, start, stop, length = (int64_t)count;
    if (parts[2].kind != JINJA_ABSENT && parts[2].kind != JINJA_NONE) {
        FAIL_IF(!apli_jinja_is_integral(&parts[2]), APL_DOMAIN, "slice indices must be integers or None");
        step = apli_jinja_to_integer(&parts[2]);
        FAIL_IF(step == 0, APL_DOMAIN, "slice step cannot be zero");
        if (step > length + 1) step = length + 1; /* as good as any longer one, and cannot overflow */
        if (step < -length - 1) step = -length - 1;
    }
    TRY(slice_bound(&parts[0], length, step < 0, step < 0 ? length - 1 : 0, &start));
    TRY(slice_bound(&parts[1], length, step < 0, step < 0 ? -1 : length, &stop));
    JinjaValue list;
    TRY(apli_jinja_new_list(evaluator, value->kind == JINJA_TUPLE ? JINJA_TUPLE : JINJA_LIST, count, &list));
    list.length = 0;
    for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) list.items[list.length++] = items[i];
    *result = list;
    if (value->kind != JINJA_STRING) return APL_OK;
    APLI_AUTO_TEXT text = {0};
    for (uint32_t i = 0; i < list.length; i++)
        apli_text_append(&text, list.items[i].bytes, list.items[i].length);
    return apli_jinja_take_text(evaluator, &text, result);
}

AplErr apli_jinja_path(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue *path,
                       JinjaValue *result) {
    if (path->kind != JINJA_STRING) return apli_jinja_subscript(evaluator, value, path, result);
    *result = *value;
    for (size_t at = 0; at <= path->length;) {
        const char *dot = at < path->length ? memchr(path->bytes + at, '.', path->length - at) : NULL;
        size_t end = dot ? (size_t)(dot - path->bytes) : path->length;
        JinjaValue key = apli_jinja_string(path->bytes + at, end - at), whole = *result;
        int64_t number = 0;
        bool digits = end > at && end - at < 10;
        for (size_t i = at; digits && i < end; i++) {
            digits = path->bytes[i] >= '0' && path->bytes[i] <= '9';
            number = number * 10 + (path->bytes[i] - '0');
        }
        if (digits) key = apli_jinja_integer(number);
        TRY(apli_jinja_subscript(evaluator, &whole, &key, result));
        at = end + 1;
    }
    return APL_OK;
}
