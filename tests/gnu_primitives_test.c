/* Primitives against GNU APL: each group's functions on all its arguments, or pairs of them, and single
   expressions. Results are compared by shape and by every item, numbers to 1e-12.

   An expression that is an error on one side is left out: what is an error differs (lengths that are extended,
   infinities, the order of characters). So is, by the choice of the arguments, what GNU APL 1.8 gets wrong or
   defines otherwise than Dyalog: ⌊ of equal fractions, ∨ of a negative number, scans and products of one-item
   vectors, inner products of nested items, the fill of ↑[0], grade of nested items, member and find of empty
   arrays, index in a matrix, and the type of empty arrays. */
#include "gnu_apl.h"

#include "base/error.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Shows rank and shape, and each item on a line of its own, to any depth; a character after a quote. */
static const char show[] =
    "⎕IO←0\n"
    "⎕PP←16\n"
    "M←2 3⍴⍳6\n"
    "N←2 2 2⍴⍳8\n"
    "∇show A;I;ITEM\n"
    " (⍴⍴A),⍴A\n"
    " I←0\n"
    " A←,A\n"
    " →(0=⍴A)/0\n"
    "NEXT:ITEM←I⊃A\n"
    " →(0≠≡ITEM)/NESTED\n"
    " →(''≡0⍴ITEM)/CHARACTER\n"
    " ITEM\n"
    " →LAST\n"
    "CHARACTER:'''',ITEM\n"
    " →LAST\n"
    "NESTED:show ITEM\n"
    "LAST:→((⍴A)>I←I+1)/NEXT\n"
    "∇\n";

/* ---- what is asked ------------------------------------------------------------------------------------- */

#define NUMBERS "3\0¯2\0" "0.5\0⍳4\0" "1 0 1\0¯3 0.5 7\0" "7 7.5\0M\0" "0.5×M\0N\0" "2 2⍴1 0 0 1\0"
#define COUNTS "3\0" "0\0¯2\0⍳4\0" "1 0 1\0" "2 1\0M\0N\0" "2 2⍴1 0 0 1\0"
#define LETTERS "'a'\0'abc'\0'ab'\0" "2 3⍴'abcdef'\0"
#define NESTED "(1 2)(3 4)\0'ab' 'cde'\0" "1 'a' (2 3)\0"
#define EMPTY "⍳0\0''\0" "0 3⍴0\0" "3 0⍴0\0"
/* More than a word of bits, integers of every width and at its borders, reals, transposed views. */
#define VECTORS "70⍴1 0 0 1 1\0" "1↓71⍴1 0 1 1 0\0⍳70\0⌽⍳70\0" "70⍴100 127 ¯128 ¯1 0 1 50\0" \
    "70⍴30000 ¯32768 32767 2 ¯3\0" "70⍴2147483647 ¯2147483648 7 ¯100000\0" "70⍴4503599627370496 3 5\0" \
    "70⍴0.5 1.25 ¯3 0 2\0"
#define TABLES "7 10⍴1 1 0 1\0⍉10 7⍴1 0 0\0⍉10 7⍴⍳70\0" "7 10⍴0.125×⍳70\0" "3 1 2⍉5 2 7⍴⍳70\0" "2 5 7⍴¯3+⍳7\0"
#define SCALARS "3\0¯1\0" "0.5\0"
#define WIDE VECTORS TABLES SCALARS

/* Lists of texts end with an empty one. Where GNU's glyph is another than ours, it follows after a tab. */
typedef struct Group {
    const char *functions, *left, *right; /* left is NULL for functions of one argument */
} Group;

static const Group groups[] = {
    {"-\0×\0÷\0*\0⌈\0⌊\0|\0!\0○\0~\0", NULL, NUMBERS COUNTS EMPTY},
    {"⍴\0,\0⍪\0⌽\0⊖\0⍉\0⊂\0∊\0|≡\0≢\0⊢\0⊃\t↑\0↑\t⊃\0⍴¨\0⌽¨\0,⍨\0⌽[0]\0,[0 1]\0⊂[0]\0⊂[1]\0", NULL,
     NUMBERS LETTERS NESTED EMPTY},
    {"⍋\0⍒\0", NULL, NUMBERS LETTERS EMPTY},
    {"+/\0-/\0×/\0÷/\0⌈/\0</\0≤/\0=/\0≠/\0∧/\0∨/\0,/\0+⌿\0-⌿\0×⌿\0⌈⌿\0=⌿\0∧⌿\0,⌿\0+\\\0-\\\0×\\\0⌈\\\0≤\\\0"
     "≠\\\0∧\\\0,\\\0+⍀\0-⍀\0"
     "⌈⍀\0=⍀\0+/[0]\0-\\[0]\0" "2+/\0" "3-/\0¯2,/\0" "2×⌿\0(+/⍤1)\0(⌽⍤2)\0(,⍤1)\0",
     NULL, NUMBERS "2 3⍴'abcdef'\0" NESTED},
    {"-\0×\0|\0⌈\0⌊\0~\0⍴\0⌽\0⊖\0⍉\0⍋\0⍒\0+/\0+⌿\0+\\\0+⍀\0-/\0-⌿\0×/\0⌈/\0⌈⌿\0⌈\\\0∧/\0∨/\0∧⌿\0=/\0≠/\0"
     "=⌿\0≠\\\0</\0≤/\0>/\0≥\\\0⍲/\0⍱/\0"
     "2+/\0(+/⍤1)\0(⌽⍤2)\0",
     NULL, WIDE},
    {"+\0-\0×\0÷\0*\0⍟\0⌈\0|\0○\0<\0≤\0=\0≥\0>\0≠\0⍲\0⍱\0×¨\0-⍨\0(+⍤1)\0(+⍣2)\0",
     NUMBERS EMPTY, NUMBERS EMPTY},
    {"=\0≠\0≡\0≢\0,\0⍪\0,[0]\0,[¯.5]\0,[.5]\0,¨\0=¨\0∘.=\0∘.,\0⊣\0⊢\0~\0∪\0∊¨\0",
     NUMBERS LETTERS NESTED, NUMBERS LETTERS NESTED},
    {"∊\0∩\0", NUMBERS LETTERS NESTED, NUMBERS LETTERS NESTED},
    {"⍳\0", "⍳4\0" "1 0 1\0¯3 .5 7\0'abc'\0⍳0\0''\0" NESTED, NUMBERS LETTERS NESTED EMPTY},
    {"⍷\0", NUMBERS LETTERS NESTED, NUMBERS LETTERS NESTED},
    {"!\0∧\0⌊\0", COUNTS, COUNTS},
    {"∨\0", "3\0" "0\0⍳4\0" "1 0 1\0M\0N\0", "3\0" "0\0⍳4\0" "1 0 1\0M\0N\0"},
    {"⍴\0↑\0↓\0⌽\0⊖\0⌽[0]\0⍉\0⊃\0⌷\0/\0⌿\0\\\0⍀\0/[0]\0↓[1]\0", COUNTS EMPTY, NUMBERS LETTERS NESTED},
    {"⊥\0⊤\0∘.×\0∘.-\0⌹\0", NUMBERS, NUMBERS},
    {"⊆\t⊂\0", "1 1 2\0" "1 0 1\0" "1 1 0 2\0", NUMBERS LETTERS NESTED},
    {"+.×\0⌈.+\0+.=\0-.÷\0+.≥\0∨.∧\0(+.×⍤2)\0", "3\0⍳4\0" "1 0 1\0¯3 .5 7\0M\0⍉M\0N\0" "2 2⍴1 0 0 1\0",
     "3\0⍳4\0" "1 0 1\0¯3 .5 7\0M\0⍉M\0N\0" "2 2⍴1 0 0 1\0"},
    {"×[0]\0×[1]\0+[0 1]\0-[0 2]\0-[1 2]\0",
     "2 3⍴⍳6\0" "2 3 4⍴⍳24\0" "1 2\0" "1 2 3\0" "2 4⍴⍳8\0" "3 4⍴⍳12\0",
     "2 3⍴⍳6\0" "2 3 4⍴⍳24\0" "1 2\0" "1 2 3\0" "2 4⍴⍳8\0" "3 4⍴⍳12\0"},
    {"+\0-\0×\0⌈\0<\0≤\0=\0≥\0>\0≠\0⍲\0⍱\0,\0⍪\0⌽\0+.×\0⌈.+\0+.=\0∧.=\0+.≥\0≠.∧\0{⍺+⍵×⍺-⍵}\0{(⍺>⍵)∧⍺=⌊⍵}\0"
     "{⍺×⍵≥.5×|⍺}\0", VECTORS SCALARS, VECTORS SCALARS},
    {"+\0-\0×\0⌈\0<\0≤\0=\0≥\0>\0≠\0⍲\0⍱\0,\0⍪\0{⍺+⍵×⍺-⍵}\0{(⍺>⍵)∧⍺=⌊⍵}\0", TABLES, TABLES SCALARS},
    {"+.×\0⌈.+\0+.=\0∧.=\0≠.∧\0", VECTORS, "⍉7 70⍴⍳490\0" "70 3⍴1 0 0 1\0" "5 70⍴0.5×⍳350\0"},
    {"/\0⌿\0\\\0", "70⍴1 0 0 1 1\0" "1↓71⍴1 0 1 1 0\0⍳70\0" "7⍴1 0 1\0", WIDE},
    {"", NULL, NULL},
};

static const char *const expressions[] = {
    "M[1;2]", "M[;1]", "M[1 0;]", "M[(1 0)(0 2)]", "N[1;;0]", "N[;1 0;,1]", "(⍳10)[2 2⍴3 1 4 1]",
    "'abcdef'[M]", "M[⍳0;]", "{X←⍵}M", "+/,N[1;;]", "M[0;]M[1;]", "(2○M)(1○M)", "(3×M)[;2 1 0]", "-M[;1]",
    "2 1⌽M", "1 0 2⍉N", "0 0⍉M", "0 0 1⍉N", "(⍳3)∘.≥⍳4", "(⍳4)(∘.+⍤1)M", "({⍵÷+/⍵}⍤1)1+M", "({⍵-⌈/⍵}⍤1)M",
    "(+/⍤2)N", "(⌽⍤1)N", "M(+.×⍤1)⍉M", "N(+.×⍤2)N", "M(×⍤1)1 2 3", "{⍵×⍵+1}M", "2{⍺+⍵}¨M",
    "{+/⍵}¨(1 2)(3 4 5)", "10 10 10⊤345", "2 2 2⊥1 0 1", "24 60 60⊤86399", "1 2 3 4⌹4 2⍴1 1 1 2 1 3 1 4",
    "⌹2 2⍴4 7 2 6", "(2 3⍴⍳6)⌹2 2⍴2 1 1 3", "'mississippi'⍳'simp'", "⍋3 1 4 1 5 9 2 6", "⍒'mississippi'",
    "⍋4 2⍴3 1 3 0 1 2 1 1", "(⍳5)∊2 3", "'abra'⍷'abracadabra'", "1 2 3∪3 4", "∪3 1 3 2 1", "1 0 2/1 2 3",
    "1 0 1\\5 6", "¯1 2↑M", "5↑'abc'", "¯5↑1 2", "3 4↑M", "1 1↓M", "⍎'2+3'", "|≡(1 2)(3(4 5))",
    "⍴¨'ab' 'c' ''", "(⊂1 2)⌷M", "1⊃(1 2)(3 4)", "(1 0)⊃(1 2)(3 4)", "∊(1 2)(3(4 5))", "3 3⍴1 0 0 0",
    "7○¯2 0 .5", "1 2 3○.5", "¯1 ¯2 ¯3○.5", "5 6 7○1", "!5 .5", "2!5 6", "3⍟81", "2*10 .5 ¯1", "|¯3 2.5",
    "×¯3 0 2", "3|7 ¯7 3.5", "¯3|7 ¯7", "⌈2.5 ¯2.5 3", "⌊2.5 ¯2.5 3", "1=1+1E¯15", "5=5.0000000000000001",
    "⌊0.99999999999999999", "1000000007|123456789×987654",
};

typedef struct Question {
    AplText ours, gnu;
    const char *answer; /* GNU's, within its output; up to answer_end */
    const char *answer_end;
} Question;

static Question *questions;
static int question_count;

static void ask(const char *left, const char *function, size_t length, const char *right, AplText *text) {
    apli_text_append_string(text, "show ");
    if (left) apli_text_printf(text, "(%s)", left);
    apli_text_printf(text, "%.*s(%s)", (int)length, function, right);
}

static Question *new_question(void) {
    if ((question_count & (question_count - 1)) == 0)
        questions = realloc(questions, sizeof *questions * (size_t)(question_count ? 2 * question_count : 1));
    questions[question_count] = (Question){0};
    return &questions[question_count++];
}

#define EACH(item, list) for (const char *item = (list); *item; item += strlen(item) + 1)

static void ask_function(const Group *group, const char *function) {
    size_t length = strcspn(function, "\t");
    const char *gnu = function[length] ? function + length + 1 : function;
    EACH(left, group->left ? group->left : "-\0") {
        EACH(right, group->right) {
            Question *question = new_question();
            ask(group->left ? left : NULL, function, length, right, &question->ours);
            ask(group->left ? left : NULL, gnu, strlen(gnu), right, &question->gnu);
        }
    }
}

static void ask_all(void) {
    for (const Group *group = groups; *group->functions; group++)
        EACH(function, group->functions) ask_function(group, function);
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        Question *question = new_question();
        apli_text_printf(&question->ours, "show %s", expressions[i]);
        apli_text_printf(&question->gnu, "show %s", expressions[i]);
    }
}

/* ---- what is answered ---------------------------------------------------------------------------------- */

/* Each answer follows a line @number. */
static void find_answers(const AplText *output) {
    char mark[32];
    const char *at = output->bytes;
    for (int i = 0; i < question_count; i++) {
        snprintf(mark, sizeof mark, "@%d\n", i);
        at = strstr(at, mark);
        if (!at) fail_msg("GNU APL ended at %s:\n%s",
     apli_text_string(&questions[i - 1].gnu), questions[i - 1].answer);
        if (i) questions[i - 1].answer_end = at;
        questions[i].answer = at += strlen(mark);
    }
    questions[question_count - 1].answer_end = output->bytes + output->length;
}

/* The next line, without blanks around it and with - for ¯; false at the end. */
static bool next_line(const char **at, const char *end, char line[static 256]) {
    size_t size = 0;
    while (*at < end && isspace((unsigned char)**at)) ++*at;
    if (*at >= end) return false;
    for (; *at < end && **at != '\n' && size < 255; ++*at) {
        if (strncmp(*at, "¯", 2) == 0) {
            line[size++] = '-';
            ++*at;
        } else {
            line[size++] = **at;
        }
    }
    while (size && isspace((unsigned char)line[size - 1])) size--;
    line[size] = 0;
    return true;
}

static bool same_answer(const char *ours, const char *ours_end, const char *gnu, const char *gnu_end) {
    char a[256], b[256];
    while (next_line(&ours, ours_end, a)) {
        if (!next_line(&gnu, gnu_end, b)) return false;
        if (strcmp(a, b) == 0) continue;
        char *a_end, *b_end;
        double x = strtod(a, &a_end), y = strtod(b, &b_end);
        if (*a_end || *b_end || !(fabs(x - y) <= 1e-12 * fmax(fmax(fabs(x), fabs(y)), 0.01))) return false;
    }
    return !next_line(&gnu, gnu_end, b);
}

static bool is_error(const Question *question) {
    size_t size = (size_t)(question->answer_end - question->answer);
    return memmem(question->answer, size, " ERROR", 6) || memmem(question->answer, size, " LIMIT", 6) ||
           memmem(question->answer, size, "∞", strlen("∞"));
}

static void primitives_agree_with_gnu_apl(void **state) {
    (void)state;
    APLI_AUTO_TEXT script = {0}, gnu_output = {0}, output = {0};
    AplSession *session;
    int compared = 0, errors = 0, differences = 0;
    ask_all();
    apli_text_append_string(&script, show);
    for (int i = 0; i < question_count; i++)
        apli_text_printf(&script, "'@%d'\n%s\n)SIC\n", i, apli_text_string(&questions[i].gnu));
    assert_true(run_in_gnu_apl(&script, &gnu_output));
    find_answers(&gnu_output);
    assert_int_equal(apli_session_new(&session), APL_OK);
    session->write = append_output;
    session->user = &output;
    assert_int_equal(apli_session_execute(session, "show", show, strlen(show), true, NULL), APL_OK);
    for (int i = 0; i < question_count; i++) {
        const Question *question = &questions[i];
        apli_text_clear(&output);
        const AplText *text = &question->ours;
        AplErr error = apli_session_execute(session, NULL, text->bytes, text->length, true, NULL);
        if (error || is_error(question)) {
            errors++;
            continue;
        }
        compared++;
        const char *ours = apli_text_string(&output);
        if (same_answer(ours, ours + output.length, question->answer, question->answer_end)) continue;
        ptrdiff_t size = question->answer_end - question->answer;
        if (differences++ < 20)
            printf("%s\n--- aplaca\n%.300s--- GNU APL\n%.*s\n", text->bytes, ours,
                   size < 300 ? (int)size : 300, question->answer);
    }
    apli_session_free(session);
    printf("%d results compared, %d differ; %d expressions are errors in one or both\n",
     compared, differences, errors);
    for (int i = 0; i < question_count; i++) {
        apli_text_free(&questions[i].ours);
        apli_text_free(&questions[i].gnu);
    }
    free(questions);
    assert_int_equal(differences, 0);
    assert_true(compared > 12000);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(primitives_agree_with_gnu_apl)};
    return gnu_apl_is_here() ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
