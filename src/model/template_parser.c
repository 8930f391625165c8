/* Statements of a template: text, output and the block tags. */
#include "model/template_internal.h"

#include <stdio.h>

typedef AplErr TagParser(JinjaParser *parser, JinjaNode **node);

static AplErr expect_end_of_tag(JinjaParser *parser) {
    return apli_jinja_expect(parser, JINJA_TOKEN_BLOCK_END, NULL);
}
static bool skip_name(JinjaParser *parser, const char *name) {
    return apli_jinja_skip(parser, JINJA_TOKEN_NAME, name);
}

static bool skip_operator(JinjaParser *parser, int operation) {
    if (parser->token->kind != JINJA_TOKEN_OPERATOR || parser->token->operation != operation) return false;
    parser->token++;
    return true;
}

/* Whether a tag with one of these words is next. */
static bool at_tag(const JinjaParser *parser, const char *const *words) {
    if (parser->token->kind != JINJA_TOKEN_BLOCK_BEGIN || parser->token[1].kind != JINJA_TOKEN_NAME)
        return false;
    for (; *words; words++)
        if (apli_jinja_equals_text(parser->token[1].text, *words)) return true;
    return false;
}

static AplErr parse_statement(JinjaParser *parser, JinjaNode **node);

/* Statements up to a tag with one of these words, which is left unread; NULL: up to the end of the
   template. */
static AplErr parse_body(JinjaParser *parser, const char *const *ends, JinjaNode **body) {
    FAIL_IF(++parser->depth > JINJA_MAX_DEPTH, APL_LIMIT, "%s, line %d: nested more than %d deep",
            parser->source, parser->token->line, JINJA_MAX_DEPTH);
    JinjaNode **last = body;
    *body = NULL;
    while (ends ? !at_tag(parser, ends) : parser->token->kind != JINJA_TOKEN_END) {
        if (parser->token->kind == JINJA_TOKEN_END) {
            while (ends[1]) ends++; /* the closing tag is the last of them */
            char what[64];
            snprintf(what, sizeof what, "{%% %s %%}", *ends);
            return apli_jinja_expected(parser, what);
        }
        TRY(parse_statement(parser, last));
        last = &(*last)->next;
    }
    parser->depth--;
    return APL_OK;
}

/* The body of a tag and its closing tag. */
static AplErr parse_block(JinjaParser *parser, const char *end, JinjaNode **body) {
    const char *const ends[] = {end, NULL};
    TRY(expect_end_of_tag(parser));
    TRY(parse_body(parser, ends, body));
    parser->token += 2;
    return expect_end_of_tag(parser);
}

/* After "if" or "elif"; an elif is an if in the other branch. */
static AplErr parse_if(JinjaParser *parser, JinjaNode **node) {
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    TRY(apli_jinja_node(parser, JINJA_IF, node));
    for (JinjaNode *branch = *node;;) {
        TRY(apli_jinja_parse_tuple(parser, &branch->first));
        TRY(expect_end_of_tag(parser));
        TRY(parse_body(parser, ends, &branch->body));
        parser->token++;
        if (skip_name(parser, "elif")) {
            TRY(apli_jinja_node(parser, JINJA_IF, &branch->other));
            branch->flag = true; /* the other branch is an elif: walked in a loop, not by recursion */
            branch = branch->other;
            continue;
        }
        if (skip_name(parser, "else")) return parse_block(parser, "endif", &branch->other);
        parser->token++;
        return expect_end_of_tag(parser);
    }
}

static AplErr parse_for(JinjaParser *parser, JinjaNode **node) {
    static const char *const ends[] = {"else", "endfor", NULL};
    TRY(apli_jinja_node(parser, JINJA_FOR, node));
    TRY(apli_jinja_parse_target(parser, false, &(*node)->target));
    TRY(apli_jinja_expect(parser, JINJA_TOKEN_NAME, "in"));
    TRY(apli_jinja_parse_or(parser, &(*node)->first));
    if (skip_operator(parser, ',')) {
        JinjaNode *tuple;
        TRY(apli_jinja_node(parser, JINJA_MAKE_TUPLE, &tuple));
        TRY(apli_jinja_push(parser, &tuple->items, &tuple->count, (*node)->first));
        do {
            JinjaNode *item;
            TRY(apli_jinja_parse_or(parser, &item));
            TRY(apli_jinja_push(parser, &tuple->items, &tuple->count, item));
        } while (skip_operator(parser, ','));
        (*node)->first = tuple;
    }
    if (skip_name(parser, "if")) TRY(apli_jinja_parse_expression(parser, &(*node)->second));
    if (apli_jinja_at(parser, JINJA_TOKEN_NAME, "recursive"))
        return apli_jinja_expected(parser, "%} (recursive loops are not part of this Jinja)");
    TRY(expect_end_of_tag(parser));
    parser->loops++;
    TRY(parse_body(parser, ends, &(*node)->body));
    parser->loops--;
    parser->token++;
    if (skip_name(parser, "else")) return parse_block(parser, "endfor", &(*node)->other);
    parser->token++;
    return expect_end_of_tag(parser);
}

static AplErr parse_set(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_SET, node));
    TRY(apli_jinja_parse_target(parser, true, &(*node)->target));
    if (skip_operator(parser, '=')) {
        TRY(apli_jinja_parse_tuple(parser, &(*node)->first));
        return expect_end_of_tag(parser);
    }
    JinjaNode *captured;
    TRY(apli_jinja_node(parser, JINJA_CAPTURED, &captured));
    TRY(apli_jinja_parse_filters(parser, false, captured, &(*node)->first));
    (*node)->flag = true;
    return parse_block(parser, "endset", &(*node)->body);
}

/* After "(": names, some with a default. */
static AplErr parse_parameters(JinjaParser *parser, JinjaNode *macro) {
    while (!skip_operator(parser, ')')) {
        JinjaNode *parameter;
        TRY(apli_jinja_node(parser, JINJA_NAME, &parameter));
        TRY(apli_jinja_expect_name(parser, &parameter->name));
        if (skip_operator(parser, '=')) TRY(apli_jinja_parse_expression(parser, &parameter->first));
        TRY(apli_jinja_push(parser, &macro->items, &macro->count, parameter));
        if (!skip_operator(parser, ',') && !apli_jinja_at(parser, JINJA_TOKEN_OPERATOR, ")"))
            return apli_jinja_expected(parser, "',' or ')'");
    }
    return APL_OK;
}

/* A macro's body: break does not reach a loop around it. */
static AplErr parse_macro_body(JinjaParser *parser, const char *end, JinjaNode **body) {
    int loops = parser->loops;
    parser->loops = 0;
    TRY(parse_block(parser, end, body));
    parser->loops = loops;
    return APL_OK;
}

static AplErr parse_macro(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_MACRO, node));
    TRY(apli_jinja_expect_name(parser, &(*node)->name));
    if (!skip_operator(parser, '(')) return apli_jinja_expected(parser, "'('");
    TRY(parse_parameters(parser, *node));
    return parse_macro_body(parser, "endmacro", &(*node)->body);
}

static AplErr parse_call(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_CALL_BLOCK, node));
    (*node)->name = (JinjaString){"caller", 6};
    if (skip_operator(parser, '(')) TRY(parse_parameters(parser, *node));
    TRY(apli_jinja_parse_primary_call(parser, &(*node)->first));
    if ((*node)->first->kind != JINJA_CALL) return apli_jinja_expected(parser, "a call before this");
    return parse_macro_body(parser, "endcall", &(*node)->body);
}

static AplErr parse_filter_block(JinjaParser *parser, JinjaNode **node) {
    JinjaNode *captured;
    TRY(apli_jinja_node(parser, JINJA_FILTER_BLOCK, node));
    TRY(apli_jinja_node(parser, JINJA_CAPTURED, &captured));
    TRY(apli_jinja_parse_filters(parser, true, captured, &(*node)->first));
    return parse_block(parser, "endfilter", &(*node)->body);
}

static AplErr parse_with(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_WITH, node));
    while (parser->token->kind != JINJA_TOKEN_BLOCK_END) {
        JinjaNode *set;
        if ((*node)->count && !skip_operator(parser, ',')) return apli_jinja_expected(parser, "',' or %}");
        TRY(apli_jinja_node(parser, JINJA_SET, &set));
        TRY(apli_jinja_parse_target(parser, false, &set->target));
        if (!skip_operator(parser, '=')) return apli_jinja_expected(parser, "'='");
        TRY(apli_jinja_parse_expression(parser, &set->first));
        TRY(apli_jinja_push(parser, &(*node)->items, &(*node)->count, set));
    }
    return parse_block(parser, "endwith", &(*node)->body);
}

static AplErr parse_generation(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_SCOPE, node));
    return parse_block(parser, "endgeneration", &(*node)->body);
}

static AplErr parse_jump(JinjaParser *parser, JinjaNodeKind kind, JinjaNode **node) {
    if (!parser->loops) return apli_jinja_expected(parser, "a loop around break or continue");
    TRY(apli_jinja_node(parser, kind, node));
    return expect_end_of_tag(parser);
}

static AplErr parse_break(JinjaParser *parser, JinjaNode **node) {
    return parse_jump(parser, JINJA_BREAK, node);
}
static AplErr parse_continue(JinjaParser *parser, JinjaNode **node) {
    return parse_jump(parser, JINJA_CONTINUE, node);
}

static const struct {
    const char *word;
    TagParser *parse;
} tags[] = {{"if", parse_if},
            {"for", parse_for},
            {"set", parse_set},
            {"macro", parse_macro},
            {"call", parse_call},
            {"filter", parse_filter_block},
            {"with", parse_with},
            {"break", parse_break},
            {"generation", parse_generation},
            {"continue", parse_continue}};

static AplErr parse_statement(JinjaParser *parser, JinjaNode **node) {
    if (parser->token->kind == JINJA_TOKEN_DATA) {
        TRY(apli_jinja_node(parser, JINJA_TEXT, node));
        (*node)->name = parser->token++->text;
        return APL_OK;
    }
    if (parser->token->kind == JINJA_TOKEN_OUTPUT_BEGIN) {
        TRY(apli_jinja_node(parser, JINJA_OUTPUT, node));
        parser->token++;
        TRY(apli_jinja_parse_tuple(parser, &(*node)->first));
        return apli_jinja_expect(parser, JINJA_TOKEN_OUTPUT_END, NULL);
    }
    parser->token++;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (skip_name(parser, tags[i].word)) return tags[i].parse(parser, node);
    return apli_jinja_expected(parser,
                               "a tag that Jinja has (if, for, set, macro, call, filter, with, generation)");
}

AplErr apli_jinja_parse(JinjaParser *parser, JinjaNode **body) { return parse_body(parser, NULL, body); }
