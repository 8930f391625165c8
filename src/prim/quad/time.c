/* ⎕TS ⎕AI ⎕DL: the date, what was used, and waiting. */
#include "os/clock.h"
#include "prim/quad/quad_functions.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SECONDS = 1 << 30 };

static double started;
__attribute__((constructor)) static void note_start(void) { started = apli_clock_seconds(); }

static AplErr vector_of(const int64_t *numbers, int64_t count, AplArray **result) {
    APLI_AUTO AplArray *vector = NULL;
    TRY(apli_vector_new(APLI_I64, count, &vector));
    for (int64_t i = 0; i < count; i++) ((int64_t *)vector->data)[i] = numbers[i];
    TRY(apli_squeeze(&vector));
    *result = apli_move(&vector);
    return APL_OK;
}

AplErr apli_quad_ts(AplEnv *env, AplArray **result) {
    (void)env;
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    FAIL_IF(!localtime_r(&now.tv_sec, &local), APL_DOMAIN, "the clock shows no date");
    int64_t parts[] = {local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,        local.tm_hour,
                       local.tm_min,         local.tm_sec,     now.tv_nsec / 1000000};
    return vector_of(parts, 7, result);
}

AplErr apli_quad_ai(AplEnv *env, AplArray **result) {
    (void)env;
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    int64_t computing = (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
    int64_t connected = (int64_t)((apli_clock_seconds() - started) * 1000);
    int64_t parts[] = {getuid(), computing, connected, 0};
    return vector_of(parts, 4, result);
}

AplErr apli_quad_dl(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    FAIL_IF(env->restricted, APL_NONCE, "⎕DL: this session is not to wait");
    FAIL_IF(right->count != 1, APL_LENGTH, "⎕DL takes one number of seconds");
    FAIL_IF(!apli_type_is_number((AplType)right->type), APL_DOMAIN, "⎕DL takes a number of seconds");
    double seconds = apli_f64_at(right, 0), begin = apli_clock_seconds(), left;
    FAIL_IF(!(seconds >= 0 && seconds < MOST_SECONDS), APL_DOMAIN, "⎕DL of %g seconds", seconds);
    while ((left = seconds - (apli_clock_seconds() - begin)) > 0) {
        TRY(apli_check(env));
        double nap = fmin(left, 0.05); /* a signal may come between the check and the sleep */
        struct timespec duration = {0, (long)(nap * 1e9)};
        nanosleep(&duration, NULL);
    }
    TRY(apli_check(env));
    return apli_scalar_f64(apli_clock_seconds() - begin, result);
}
