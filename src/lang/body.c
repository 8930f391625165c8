/* Function bodies: a token range cut into statements. Control words become jumps between statements. */
#include "lang/frame.h"
#include "lang/quad.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

AplBody *apli_body_retain(AplBody *body) {
    body->references++;
    return body;
}

void apli_body_release(AplBody *body) {
    if (!body || --body->references > 0) return;
    for (int32_t i = 0; i < body->statement_count; i++) {
        apli_nodes_free(body->statements[i].made);
        free(body->statements[i].assumptions);
    }
    apli_source_release(body->source);
    free(body->statements);
    free(body->locals);
    free(body->system_locals);
    free(body->line_statement);
    free(body->labels);
    free(body);
}

static AplErr body_new(AplBodyKind kind, AplSource *source, int32_t first, int32_t last, AplBody **result) {
    AplBody *body = calloc(1, sizeof *body);
    FAIL_IF(!body, APL_WS_FULL, "no memory for a function");
    body->references = 1;
    body->kind = kind;
    body->source = apli_source_retain(source);
    body->first = first;
    body->last = last;
    *result = body;
    return APL_OK;
}

/* A growing list inside a structure: makes room for one more. */
static AplErr room_for_one(void **list, int32_t count, size_t size) {
    if (count & (count - 1) || (count && count < 4)) return APL_OK; /* capacity is 4 or a power of two */
    void *more = realloc(*list, (size_t)(count ? count * 2 : 4) * size);
    FAIL_IF(!more, APL_WS_FULL, "no memory for a function");
    *list = more;
    return APL_OK;
}

static AplErr add_statement(AplBody *body, AplStatement statement) {
    TRY(room_for_one((void **)&body->statements, body->statement_count, sizeof statement));
    body->statements[body->statement_count++] = statement;
    return APL_OK;
}

static AplErr add_local(AplBody *body, AplSymbol *symbol) {
    for (int32_t i = 0; i < body->local_count; i++)
        if (body->locals[i] == symbol) return APL_OK;
    TRY(room_for_one((void **)&body->locals, body->local_count, sizeof *body->locals));
    body->locals[body->local_count++] = symbol;
    return APL_OK;
}

static AplErr add_system_local(AplBody *body, int32_t row) {
    FAIL_IF(apli_quads[row].kind != QUAD_VARIABLE, APL_DEFN, "⎕%s is no variable, it cannot be local", apli_quads[row].name);
    for (int32_t i = 0; i < body->system_local_count; i++)
        if (body->system_locals[i] == row) return APL_OK;
    FAIL_IF(body->system_local_count == MOST_SYSTEM_LOCALS, APL_DEFN, "more than %d local system variables", MOST_SYSTEM_LOCALS);
    TRY(room_for_one((void **)&body->system_locals, body->system_local_count, sizeof *body->system_locals));
    body->system_locals[body->system_local_count++] = row;
    return APL_OK;
}

/* The end of the statement that begins at first: a ⋄ or a line's end outside brackets, or last. */
static int32_t statement_end(const AplSource *source, int32_t first, int32_t last) {
    for (int32_t i = first; i < last; i++) {
        if (source->tokens[i].match > i) i = source->tokens[i].match;
        else if (source->tokens[i].kind == TOKEN_DIAMOND || source->tokens[i].kind == TOKEN_NEWLINE) return i;
    }
    return last;
}

/* ---- dfns ------------------------------------------------------------------------------------------------------- */

/* Names directly before ←, or in parentheses before it, are local. Nested dfns have their own. */
static AplErr find_locals(AplBody *body, int32_t first, int32_t last) {
    const AplToken *tokens = body->source->tokens;
    for (int32_t i = first; i < last; i++) {
        if (tokens[i].kind == TOKEN_LEFT_BRACE) {
            i = tokens[i].match;
        } else if (tokens[i].kind == TOKEN_NAME) {
            int32_t before = i;
            if (tokens[i + 1].kind == TOKEN_ASSIGN) {
                /* A B←1 2 names all; X f←1 modifies what X is already, and f is a function then */
                while (before >= first && tokens[before].kind == TOKEN_NAME) TRY(add_local(body, tokens[before--].symbol));
            }
        } else if (tokens[i].kind == TOKEN_RIGHT_PAREN && tokens[i + 1].kind == TOKEN_ASSIGN) {
            bool names = true;
            for (int32_t j = tokens[i].match + 1; j < i; j++)
                names &= tokens[j].kind == TOKEN_NAME || tokens[j].kind == TOKEN_LEFT_PAREN || tokens[j].kind == TOKEN_RIGHT_PAREN;
            for (int32_t j = tokens[i].match + 1; names && j < i; j++)
                if (tokens[j].kind == TOKEN_NAME) TRY(add_local(body, tokens[j].symbol));
        }
    }
    return APL_OK;
}

static AplErr dfn_statement(AplBody *body, int32_t first, int32_t last, int32_t line) {
    const AplToken *tokens = body->source->tokens;
    AplStatement statement = {.kind = STATEMENT_EXPRESSION, .line = line, .first = first, .last = last};
    if (last - first >= 2 && tokens[first].kind == TOKEN_ALPHA && tokens[first + 1].kind == TOKEN_ASSIGN)
        statement.kind = STATEMENT_DEFAULT_ALPHA;
    for (int32_t i = first; i < last; i++) {
        if (tokens[i].match > i) {
            i = tokens[i].match;
        } else if (tokens[i].kind == TOKEN_COLON) {
            if (tokens[i + 1].kind == TOKEN_COLON) {
                statement.kind = STATEMENT_ERROR_GUARD;
                statement.last = i;
                TRY(add_statement(body, statement));
                statement.kind = STATEMENT_HANDLER;
                statement.first = i + 2;
                statement.last = last;
                break;
            }
            statement.kind = STATEMENT_GUARD;
            statement.guard = i + 1;
            break;
        }
    }
    return add_statement(body, statement);
}

static AplErr fill_dfn(AplBody *body, int32_t open) {
    const AplToken *tokens = body->source->tokens;
    int32_t close = tokens[open].match, line = 0;
    for (int32_t i = open + 1; i < close; i++) {
        if (tokens[i].kind == TOKEN_LEFT_BRACE) i = tokens[i].match;
        body->takes_left_operand |= tokens[i].kind == TOKEN_ALPHA_ALPHA;
        body->takes_right_operand |= tokens[i].kind == TOKEN_OMEGA_OMEGA;
    }
    TRY(find_locals(body, open + 1, close));
    for (int32_t first = open + 1; first <= close;) {
        int32_t last = statement_end(body->source, first, close);
        if (last > first) TRY(dfn_statement(body, first, last, line));
        line += last < close && tokens[last].kind == TOKEN_NEWLINE;
        first = last + 1;
    }
    return APL_OK;
}

AplErr apli_body_of_dfn(AplSource *source, int32_t open, AplBody *enclosing, AplBody **result) {
    AplBody *body;
    TRY(body_new(BODY_DFN, source, open, source->tokens[open].match + 1, &body));
    body->enclosing = enclosing && enclosing->kind == BODY_DFN ? enclosing : NULL;
    AplErr error = fill_dfn(body, open);
    if (error) {
        apli_body_release(body);
        return error;
    }
    *result = body;
    return APL_OK;
}

/* ---- control structures ------------------------------------------------------------------------------------------- */

typedef struct Block {
    AplKeyword keyword; /* that opened it */
    int32_t top; /* the statement a loop goes back to */
    int32_t pending; /* the test whose target is the next branch; -1: none */
    int32_t jump_chain; /* statements that jump to the end: linked through their targets; -1 ends */
    int32_t leave_chain, continue_chain;
    bool or_chain; /* the condition is a chain of :OrIf */
} Block;

typedef struct Compiler {
    AplBody *body;
    Block blocks[64];
    int32_t count;
    int32_t line;
    int16_t depth;
    int32_t *error_offset;
} Compiler;

static AplErr misplaced(Compiler *compiler, const AplToken *token, const char *what) {
    *compiler->error_offset = token->offset;
    return apli_fail(APL_SYNTAX, "%s", what);
}

static AplErr emit(Compiler *compiler, AplStatementKind kind, int32_t first, int32_t last, int32_t target) {
    return add_statement(compiler->body, (AplStatement){.kind = (uint8_t)kind, .line = compiler->line, .first = first,
                                                        .last = last, .target = target, .depth = compiler->depth});
}

static int32_t here(const Compiler *compiler) { return compiler->body->statement_count; }

static void patch_chain(Compiler *compiler, int32_t chain, int32_t target) {
    while (chain >= 0) {
        int32_t next = compiler->body->statements[chain].target;
        compiler->body->statements[chain].target = target;
        chain = next;
    }
}

static void patch_pending(Compiler *compiler, Block *block) {
    if (block->pending >= 0) patch_chain(compiler, block->pending, here(compiler));
    block->pending = -1;
}

static AplErr open_block(Compiler *compiler, const AplToken *token, Block **block) {
    if (compiler->count == (int32_t)(sizeof compiler->blocks / sizeof *compiler->blocks))
        return misplaced(compiler, token, "control structures nested more than 64 deep");
    *block = &compiler->blocks[compiler->count++];
    **block = (Block){.keyword = token->keyword, .top = here(compiler), .pending = -1, .jump_chain = -1, .leave_chain = -1,
                      .continue_chain = -1};
    return APL_OK;
}

/* The innermost block, which one of the keywords must have opened. */
static Block *block_of(Compiler *compiler, AplKeyword a, AplKeyword b) {
    Block *block = compiler->count ? &compiler->blocks[compiler->count - 1] : NULL;
    return block && (block->keyword == a || block->keyword == b) ? block : NULL;
}

/* A test whose failure goes to the block's next branch. */
static AplErr emit_test(Compiler *compiler, Block *block, int32_t first, int32_t last) {
    TRY(emit(compiler, STATEMENT_TEST, first, last, block->pending));
    block->pending = here(compiler) - 1;
    return APL_OK;
}

static AplErr emit_jump_to_end(Compiler *compiler, Block *block) {
    TRY(emit(compiler, STATEMENT_JUMP, 0, 0, block->jump_chain));
    block->jump_chain = here(compiler) - 1;
    return APL_OK;
}

/* :AndIf and :OrIf continue the condition of the test just emitted. */
static AplErr condition_goes_on(Compiler *compiler, const AplToken *token, bool or_, int32_t first, int32_t last) {
    Block *block = compiler->count ? &compiler->blocks[compiler->count - 1] : NULL;
    int32_t test = here(compiler) - 1;
    if (!block || block->pending != test || test < 0)
        return misplaced(compiler, token, ":AndIf and :OrIf follow directly on a condition");
    if (!or_) return emit_test(compiler, block, first, last);
    /* the earlier test now jumps into the body when true; the body begins after the new test */
    AplStatement *earlier = &compiler->body->statements[test];
    int32_t chain = earlier->target;
    earlier->kind = STATEMENT_TEST_NOT;
    earlier->target = test + 2;
    block->pending = chain;
    patch_chain(compiler, chain, test + 1); /* a failed :AndIf before :OrIf tries the alternative */
    block->pending = -1;
    return emit_test(compiler, block, first, last);
}

static AplErr close_block(Compiler *compiler, const AplToken *token, int32_t first, int32_t last) {
    Block *block = compiler->count ? &compiler->blocks[compiler->count - 1] : NULL;
    if (!block) return misplaced(compiler, token, "an end without a beginning");
    AplKeyword ends[] = {[KEYWORD_IF] = KEYWORD_ENDIF, [KEYWORD_WHILE] = KEYWORD_ENDWHILE, [KEYWORD_REPEAT] = KEYWORD_ENDREPEAT,
                         [KEYWORD_FOR] = KEYWORD_ENDFOR, [KEYWORD_SELECT] = KEYWORD_ENDSELECT, [KEYWORD_TRAP] = KEYWORD_ENDTRAP};
    bool until = token->keyword == KEYWORD_UNTIL && (block->keyword == KEYWORD_REPEAT || block->keyword == KEYWORD_WHILE);
    if (token->keyword != KEYWORD_END && token->keyword != ends[block->keyword] && !until)
        return misplaced(compiler, token, "an end that does not fit its beginning");
    patch_chain(compiler, block->continue_chain, here(compiler));
    switch (block->keyword) {
    case KEYWORD_WHILE:
    case KEYWORD_REPEAT:
        if (until) TRY(emit(compiler, STATEMENT_TEST, first, last, block->top));
        else TRY(emit(compiler, STATEMENT_JUMP, 0, 0, block->top));
        patch_pending(compiler, block);
        patch_chain(compiler, block->leave_chain, here(compiler));
        break;
    case KEYWORD_FOR:
        TRY(emit(compiler, STATEMENT_JUMP, 0, 0, block->top));
        patch_pending(compiler, block);
        patch_chain(compiler, block->leave_chain, here(compiler));
        TRY(emit(compiler, STATEMENT_POP, 0, 0, 0));
        compiler->depth--;
        break;
    case KEYWORD_SELECT:
    case KEYWORD_TRAP:
        patch_pending(compiler, block);
        patch_chain(compiler, block->jump_chain, here(compiler));
        TRY(emit(compiler, STATEMENT_POP, 0, 0, 0));
        compiler->depth--;
        break;
    default:
        patch_pending(compiler, block);
        patch_chain(compiler, block->jump_chain, here(compiler));
        break;
    }
    compiler->count--;
    return APL_OK;
}

/* :For names :In items */
static AplErr begin_for(Compiler *compiler, const AplToken *token, int32_t first, int32_t last) {
    const AplToken *tokens = compiler->body->source->tokens;
    int32_t in = first;
    while (in < last && tokens[in].kind == TOKEN_NAME) in++;
    bool each = in < last && tokens[in].kind == TOKEN_KEYWORD && tokens[in].keyword == KEYWORD_INEACH;
    if (in == first || in >= last || tokens[in].kind != TOKEN_KEYWORD || (tokens[in].keyword != KEYWORD_IN && !each))
        return misplaced(compiler, token, ":For is followed by names, :In or :InEach and an expression");
    if (in + 1 == last) return misplaced(compiler, token, ":For has nothing to go through");
    TRY(emit(compiler, STATEMENT_FOR, in + 1, last, 0));
    compiler->body->statements[here(compiler) - 1].slot = each;
    compiler->depth++;
    Block *block;
    TRY(open_block(compiler, token, &block));
    TRY(emit(compiler, STATEMENT_FOR_NEXT, first, in, -1));
    block->pending = here(compiler) - 1;
    return APL_OK;
}

/* :Case and :CaseList: an earlier case's end jumps to the end of the selection. */
static AplErr begin_case(Compiler *compiler, const AplToken *token, int32_t first, int32_t last) {
    Block *block = block_of(compiler, KEYWORD_SELECT, KEYWORD_TRAP);
    if (!block) return misplaced(compiler, token, ":Case outside :Select and :Trap");
    if (block->pending != -1 || block->or_chain) TRY(emit_jump_to_end(compiler, block));
    patch_pending(compiler, block);
    TRY(emit(compiler, STATEMENT_CASE, first, last, -1));
    compiler->body->statements[here(compiler) - 1].slot = token->keyword == KEYWORD_CASELIST;
    block->pending = here(compiler) - 1;
    block->or_chain = true; /* a case has begun */
    return APL_OK;
}

static AplErr begin_else(Compiler *compiler, const AplToken *token) {
    Block *block = compiler->count ? &compiler->blocks[compiler->count - 1] : NULL;
    bool fits = block && (block->keyword == KEYWORD_IF || block->keyword == KEYWORD_SELECT || block->keyword == KEYWORD_TRAP);
    if (!fits) return misplaced(compiler, token, ":Else outside :If, :Select and :Trap");
    TRY(emit_jump_to_end(compiler, block));
    patch_pending(compiler, block);
    return APL_OK;
}

static AplErr leave_or_continue(Compiler *compiler, const AplToken *token) {
    Block *block = NULL;
    for (int32_t i = compiler->count - 1; i >= 0 && !block; i--) {
        AplKeyword keyword = compiler->blocks[i].keyword;
        if (keyword == KEYWORD_WHILE || keyword == KEYWORD_REPEAT || keyword == KEYWORD_FOR) block = &compiler->blocks[i];
    }
    if (!block) return misplaced(compiler, token, ":Leave and :Continue stand inside a loop");
    int32_t *chain = token->keyword == KEYWORD_LEAVE ? &block->leave_chain : &block->continue_chain;
    TRY(emit(compiler, STATEMENT_JUMP, 0, 0, *chain));
    *chain = here(compiler) - 1;
    return APL_OK;
}

static AplErr control_statement(Compiler *compiler, int32_t first, int32_t last) {
    const AplToken *token = &compiler->body->source->tokens[first++];
    Block *block;
    bool empty = first == last;
    switch (token->keyword) {
    case KEYWORD_IF: case KEYWORD_WHILE: case KEYWORD_ANDIF: case KEYWORD_ORIF: case KEYWORD_ELSEIF: case KEYWORD_FOR:
    case KEYWORD_SELECT: case KEYWORD_CASE: case KEYWORD_CASELIST: case KEYWORD_UNTIL: case KEYWORD_GOTO: case KEYWORD_TRAP:
        if (empty) return misplaced(compiler, token, "a control word without its expression");
        break;
    default:
        if (!empty) return misplaced(compiler, token, "an expression after a control word that takes none");
        break;
    }
    switch (token->keyword) {
    case KEYWORD_IF:
    case KEYWORD_WHILE:
        TRY(open_block(compiler, token, &block));
        return emit_test(compiler, block, first, last);
    case KEYWORD_REPEAT: return open_block(compiler, token, &block);
    case KEYWORD_ANDIF: return condition_goes_on(compiler, token, false, first, last);
    case KEYWORD_ORIF: return condition_goes_on(compiler, token, true, first, last);
    case KEYWORD_ELSEIF:
        block = block_of(compiler, KEYWORD_IF, KEYWORD_IF);
        if (!block) return misplaced(compiler, token, ":ElseIf outside :If");
        TRY(begin_else(compiler, token));
        return emit_test(compiler, block, first, last);
    case KEYWORD_ELSE: return begin_else(compiler, token);
    case KEYWORD_FOR: return begin_for(compiler, token, first, last);
    case KEYWORD_SELECT:
        TRY(emit(compiler, STATEMENT_SELECT, first, last, 0));
        compiler->depth++;
        return open_block(compiler, token, &block);
    case KEYWORD_TRAP: {
        int32_t trap = here(compiler);
        TRY(emit(compiler, STATEMENT_TRAP, first, last, -1));
        compiler->depth++;
        TRY(open_block(compiler, token, &block));
        block->pending = trap; /* its target: the first :Case or :Else, or the end */
        return APL_OK;
    }
    case KEYWORD_CASE: case KEYWORD_CASELIST: return begin_case(compiler, token, first, last);
    case KEYWORD_RETURN: return emit(compiler, STATEMENT_RETURN, 0, 0, 0);
    case KEYWORD_GOTO: return emit(compiler, STATEMENT_BRANCH, first, last, 0);
    case KEYWORD_LEAVE: case KEYWORD_CONTINUE: return leave_or_continue(compiler, token);
    case KEYWORD_IN: case KEYWORD_INEACH: return misplaced(compiler, token, ":In and :InEach stand inside :For");
    default: return close_block(compiler, token, first, last);
    }
}

static AplErr plain_statement(Compiler *compiler, int32_t first, int32_t last) {
    bool branch = compiler->body->source->tokens[first].kind == TOKEN_BRANCH;
    return emit(compiler, branch ? STATEMENT_BRANCH : STATEMENT_EXPRESSION, first + branch, last, 0);
}

/* ---- tradfns ------------------------------------------------------------------------------------------------------- */

/* R←{A}(F OP G)B;L1;L2 in all its shorter forms. */
static AplErr header(AplBody *body, int32_t first, int32_t last, int32_t *error_offset) {
    const AplToken *tokens = body->source->tokens;
    int32_t i = first, names = 0;
    AplSymbol *list[3] = {0};
    *error_offset = tokens[first].offset;
    if (tokens[i].kind == TOKEN_LEFT_BRACE && tokens[i].match == i + 2 && tokens[i + 1].kind == TOKEN_NAME &&
        tokens[i + 3].kind == TOKEN_ASSIGN) { /* {R}←f x: a shy result */
        body->shy = true;
        body->result = tokens[i + 1].symbol;
        i += 4;
    } else if (tokens[i].kind == TOKEN_NAME && tokens[i + 1].kind == TOKEN_ASSIGN) {
        body->result = tokens[i].symbol;
        i += 2;
    }
    bool parenthesised = false;
    for (; i < last && tokens[i].kind != TOKEN_SEMICOLON; i++) {
        *error_offset = tokens[i].offset;
        if (tokens[i].kind == TOKEN_LEFT_BRACE && names == 0 && tokens[i].match == i + 2 && tokens[i + 1].kind == TOKEN_NAME) {
            body->optional_left = true;
            list[names++] = tokens[i + 1].symbol;
            i += 2;
        } else if (tokens[i].kind == TOKEN_LEFT_PAREN && !parenthesised && names <= 1) {
            int32_t close = tokens[i].match, inside = close - i - 1;
            FAIL_IF(inside < 2 || inside > 3, APL_DEFN, "an operator's header has one or two operands");
            for (int32_t j = i + 1; j < close; j++) FAIL_IF(tokens[j].kind != TOKEN_NAME, APL_DEFN, "a header holds names");
            body->left_operand = tokens[i + 1].symbol;
            body->takes_left_operand = true;
            body->name = tokens[i + 2].symbol;
            if (inside == 3) {
                body->right_operand = tokens[i + 3].symbol;
                body->takes_right_operand = true;
            }
            parenthesised = true;
            if (names == 1) body->left = list[0];
            names = 0;
            i = close;
        } else {
            FAIL_IF(tokens[i].kind != TOKEN_NAME || names == 3, APL_DEFN, "a header is R←A f B;locals");
            list[names++] = tokens[i].symbol;
        }
    }
    if (parenthesised) {
        FAIL_IF(names != 1, APL_DEFN, "a header is R←A (F op G) B;locals");
        body->right = list[0];
    } else {
        FAIL_IF(names == 0, APL_DEFN, "a header without a name");
        FAIL_IF(body->optional_left && names != 3, APL_DEFN, "{A} is a left argument: a header is R←{A} f B");
        body->name = names == 3 ? list[1] : list[0];
        body->right = names == 3 ? list[2] : names == 2 ? list[1] : NULL;
        body->left = names == 3 ? list[0] : NULL;
    }
    for (; i < last; i++) {
        *error_offset = tokens[i].offset;
        if (tokens[i].kind == TOKEN_SEMICOLON) continue;
        FAIL_IF(tokens[i].kind != TOKEN_NAME && tokens[i].kind != TOKEN_SYSTEM, APL_DEFN, "locals are names after semicolons");
        if (tokens[i].kind == TOKEN_SYSTEM) {
            TRY(add_system_local(body, tokens[i].system));
            continue;
        }
        TRY(add_local(body, tokens[i].symbol));
    }
    AplSymbol *own[] = {body->result, body->left, body->right, body->left_operand, body->right_operand};
    for (int k = 0; k < 5; k++)
        if (own[k]) TRY(add_local(body, own[k]));
    return APL_OK;
}

static AplErr add_label(AplBody *body, AplSymbol *symbol, int32_t line) {
    for (int32_t i = 0; i < body->label_count; i++)
        FAIL_IF(body->labels[i].symbol == symbol, APL_DEFN, "label %s stands on lines %d and %d", symbol->name,
                body->labels[i].line, line);
    TRY(room_for_one((void **)&body->labels, body->label_count, sizeof *body->labels));
    body->labels[body->label_count++] = (struct AplLabel){symbol, line};
    return add_local(body, symbol);
}

static AplErr compile_lines(Compiler *compiler, int32_t first, int32_t last, bool labels) {
    const AplToken *tokens = compiler->body->source->tokens;
    bool line_begins = true;
    while (first < last) {
        int32_t end = statement_end(compiler->body->source, first, last);
        if (labels && line_begins && end - first >= 2 && tokens[first].kind == TOKEN_NAME && tokens[first + 1].kind == TOKEN_COLON) {
            *compiler->error_offset = tokens[first].offset;
            TRY(add_label(compiler->body, tokens[first].symbol, compiler->line));
            first += 2;
        }
        if (end > first) {
            *compiler->error_offset = tokens[first].offset;
            TRY(tokens[first].kind == TOKEN_KEYWORD ? control_statement(compiler, first, end)
                                                    : plain_statement(compiler, first, end));
        }
        line_begins = end < last && tokens[end].kind == TOKEN_NEWLINE;
        if (line_begins) {
            compiler->line++;
            if (compiler->body->line_statement) {
                compiler->body->line_statement[compiler->line] = here(compiler);
            }
        }
        first = end + 1;
    }
    if (compiler->count) {
        *compiler->error_offset = tokens[last].offset;
        return apli_fail(APL_SYNTAX, "%d control structure(s) never end", compiler->count);
    }
    return APL_OK;
}

/* ⍝ kernel: NAME anywhere in the text between two offsets. */
static const AplFusedKernel *bound_kernel(const AplSource *source, int32_t from, int32_t to) {
    static const char mark[] = "⍝ kernel: ";
    for (const char *at = source->text + from; (at = strstr(at, mark)) && at < source->text + to; at++) {
        const char *name = at + strlen(mark);
        return apli_fused_kernel_named(name, strcspn(name, " \r\n"));
    }
    return NULL;
}

static AplErr fill_tradfn(AplBody *body, int32_t first, int32_t last, int32_t *error_offset) {
    const AplSource *source = body->source;
    int32_t end = statement_end(source, first, last);
    TRY(header(body, first, end, error_offset));
    body->line_count = 1;
    for (int32_t i = end; i < last; i++) body->line_count += source->tokens[i].kind == TOKEN_NEWLINE;
    body->line_statement = calloc((size_t)body->line_count + 1, sizeof *body->line_statement);
    FAIL_IF(!body->line_statement, APL_WS_FULL, "no memory for a function of %d lines", body->line_count);
    Compiler compiler = {.body = body, .error_offset = error_offset};
    TRY(compile_lines(&compiler, end, last, true));
    int32_t from = source->tokens[first].offset, to = source->tokens[last].offset;
    body->kernel = bound_kernel(source, from, to);
    return APL_OK;
}

AplErr apli_body_of_tradfn(AplSession *session, AplSource *source, int32_t first, int32_t last, AplBody **result) {
    AplBody *body;
    TRY(body_new(BODY_TRADFN, source, first, last, &body));
    int32_t offset = 0;
    AplErr error = fill_tradfn(body, first, last, &offset);
    if (error) {
        if (session->fault_offset < 0) session->fault_offset = offset;
        apli_body_release(body);
        return error;
    }
    *result = body;
    return APL_OK;
}

AplErr apli_body_of_lines(AplSession *session, AplSource *source, int32_t first, int32_t last, AplBody **result) {
    AplBody *body;
    TRY(body_new(BODY_IMMEDIATE, source, first, last, &body));
    int32_t offset = 0;
    Compiler compiler = {.body = body, .error_offset = &offset};
    AplErr error = compile_lines(&compiler, first, last, false);
    if (error) {
        if (session->fault_offset < 0) session->fault_offset = offset;
        apli_body_release(body);
        return error;
    }
    *result = body;
    return APL_OK;
}
