/* `aplaca apl --test FILE`: expressions, expected values and expected errors (src/prim/README.md). */
#ifndef APLI_CLI_TEST_FILE_H
#define APLI_CLI_TEST_FILE_H

/* Prints each failure with its line, then "N passed, N failed"; returns the exit status. */
int apli_test_file(const char *path);

#endif
