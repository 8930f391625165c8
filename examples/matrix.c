/* Arrays go into an APL workspace and come out of it. Build: cc matrix.c $(pkg-config --cflags --libs aplaca) */
#include <aplaca.h>

#include <stdio.h>
#include <string.h>

static int complain(AplErr error) {
    fprintf(stderr, "%s: %s\n", apl_error_name(error), apl_error_message());
    return 1;
}

int main(void) {
    const double prices[] = {1.5, 2, 10, 4, 0.5, 8};
    const int64_t shape[] = {2, 3};
    AplSession *session;
    AplArray *array, *means;
    AplErr error = apl_session_new(&session);
    if (error) return complain(error);

    error = apl_array_f64(prices, 2, shape, &array);
    if (error) return complain(error);
    error = apl_session_set(session, "PRICES", array);
    apl_array_release(array);
    if (error) return complain(error);

    static const char mean[] = "(+/PRICES)÷¯1↑⍴PRICES";
    error = apl_session_execute(session, mean, strlen(mean), &means);
    if (error) {
        fputs(apl_session_report(session), stderr);
        return 1;
    }
    double values[2];
    error = apl_array_copy_f64(means, values, 2);
    apl_array_release(means);
    if (error) return complain(error);
    printf("means: %g %g\n", values[0], values[1]);

    static const char wrong[] = "PRICES+1 2 3 4";
    if (apl_session_execute(session, wrong, strlen(wrong), NULL)) printf("%s", apl_session_report(session));
    apl_session_free(session);
    return 0;
}
