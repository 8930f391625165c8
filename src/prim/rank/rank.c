/* f⍤k: f on the k-cells of its arguments (last k axes; negative k: all but the first |k|), the results laid
   out in the frame, filled where their shapes differ, as ↑ does. k is 1 to 3 numbers: monadic, left, right;
   left, right; all. f⍤g: f g Y, f X g Y (atop).

   Cells are views, so neither a large nor a packed argument is copied. Results of one shape and type go
   straight to their place. */
#include "prim/operand.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

/* An argument as `count` cells. */
typedef struct Cells {
    AplArray *array; /* the leading axis counts the cells; whole when `whole` */
    bool whole;      /* one cell: the argument itself */
    int frame_rank;
    int64_t frame[APLI_MAX_RANK];
    int64_t count;
} Cells;

static void cells_free(Cells *cells) { apli_array_release(cells->array); }
#define AUTO_CELLS __attribute__((cleanup(cells_free))) Cells

static AplErr cells_of(AplArray *array, int64_t k, Cells *cells) {
    int rank = array->rank;
    int64_t cell_rank = k < 0 ? (k < -rank ? 0 : rank + k) : k > rank ? rank : k;
    cells->frame_rank = rank - (int)cell_rank;
    memcpy(cells->frame, array->shape, (size_t)cells->frame_rank * sizeof *cells->frame);
    cells->count = apli_product(array->shape, cells->frame_rank);
    cells->whole = cells->frame_rank == 0;
    if (cells->whole || cells->count == 0 || cells->frame_rank == 1) {
        cells->array = apli_array_retain(array);
        return APL_OK;
    }
    int64_t shape[APLI_MAX_RANK] = {cells->count};
    memcpy(shape + 1, array->shape + cells->frame_rank, (size_t)cell_rank * sizeof *shape);
    return apli_reshape_view(array, 1 + (int)cell_rank, shape, &cells->array);
}

static AplErr take_cell(const Cells *cells, int64_t index, AplArray **cell) {
    if (cells->whole) {
        *cell = apli_array_retain(cells->array);
        return APL_OK;
    }
    if (cells->count) return apli_cell(cells->array, index, cell);
    /* no cells: one of fill elements tells f's result's shape */
    const AplArray *array = cells->array;
    APLI_AUTO AplArray *fill = NULL;
    TRY(apli_fill(array, &fill));
    return apli_reshape_to(fill, array->rank - cells->frame_rank, array->shape + cells->frame_rank, cell);
}

/* Results as they come. */
typedef struct Results {
    const Cells *frame;
    AplArray *joined; /* results of one shape, and one type so far */
    AplArray *items;  /* nested, once they differ */
    int cell_rank;
    int64_t cell_shape[APLI_MAX_RANK], cell_count;
} Results;

static void results_free(Results *results) {
    apli_array_release(results->joined);
    apli_array_release(results->items);
}

static AplErr join_first(Results *results, const AplArray *cell) {
    const Cells *frame = results->frame;
    int64_t shape[2 * APLI_MAX_RANK];
    memcpy(shape, frame->frame, (size_t)frame->frame_rank * sizeof *shape);
    memcpy(shape + frame->frame_rank, cell->shape, cell->rank * sizeof *shape);
    memcpy(results->cell_shape, cell->shape, cell->rank * sizeof *shape);
    results->cell_rank = cell->rank;
    results->cell_count = cell->count;
    TRY(apli_result_new(cell, frame->frame_rank + cell->rank, shape, &results->joined));
    return APL_OK;
}

/* Integers with integers, characters with characters: the wider type takes over. */
static AplErr widen(Results *results, AplType type) {
    AplArray *joined = results->joined, *wider;
    if (type <= joined->type) return APL_OK;
    TRY(apli_array_new_like(type, joined, &wider));
    apli_elem_convert(type, wider->data, 0, (AplType)joined->type, joined->data, 0, joined->count);
    apli_array_release(joined);
    results->joined = wider;
    return APL_OK;
}

static bool fits(const Results *results, const AplArray *cell) {
    const AplArray *joined = results->joined;
    if (cell->rank != results->cell_rank ||
        memcmp(cell->shape, results->cell_shape, cell->rank * sizeof *cell->shape) != 0)
        return false;
    AplType type = (AplType)cell->type, so_far = (AplType)joined->type;
    if (type == so_far) return cell->weak == joined->weak;
    return (apli_type_is_integer(type) && apli_type_is_integer(so_far)) ||
           (apli_type_is_character(type) && apli_type_is_character(so_far));
}

/* The results so far become items. */
static AplErr spill(Results *results, int64_t done) {
    TRY(apli_array_new(APLI_NESTED, results->frame->frame_rank, results->frame->frame, &results->items));
    for (int64_t i = 0; i < done; i++)
        TRY(apli_part(results->joined, i * results->cell_count, results->cell_rank, results->cell_shape,
                      &apli_items(results->items)[i]));
    return APL_OK;
}

/* Takes result `index`; a result of no cells gives only its shape. */
static AplErr add_result(Results *results, int64_t index, AplArray *cell) {
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(cell, &plain));
    if (!results->joined) TRY(join_first(results, plain));
    if (results->frame->count == 0) return APL_OK;
    if (!results->items && !fits(results, plain)) TRY(spill(results, index));
    if (results->items) {
        apli_items(results->items)[index] = apli_move(&plain);
        return APL_OK;
    }
    if (results->joined->type != APLI_NESTED) TRY(widen(results, (AplType)plain->type));
    apli_copy(results->joined, index * results->cell_count, plain, 0, results->cell_count);
    return APL_OK;
}

static AplErr finish(AplEnv *env, Results *results, AplArray **result) {
    if (results->items) return apli_mix(env, results->items, NULL, result);
    *result = apli_move(&results->joined);
    return APL_OK;
}

/* The argument that has a frame gives the result's; when both have one they must be the same. */
static AplErr agree(const Cells *left, const Cells *right, const Cells **frame) {
    *frame = right->frame_rank ? right : left;
    if (!left->frame_rank || !right->frame_rank) return APL_OK;
    FAIL_IF(left->frame_rank != right->frame_rank, APL_RANK,
            "⍤: the left frame has rank %d, the right one %d", left->frame_rank, right->frame_rank);
    for (int i = 0; i < left->frame_rank; i++)
        FAIL_IF(left->frame[i] != right->frame[i], APL_LENGTH,
                "⍤: axis %d of the left frame is %" PRId64 ", of the right %" PRId64, i, left->frame[i],
                right->frame[i]);
    return APL_OK;
}

static AplErr read_ranks(AplArray *array, int64_t ranks[3]) {
    APLI_AUTO AplArray *integers = NULL;
    FAIL_IF(array->rank > 1, APL_RANK, "the right operand of ⍤ has rank %d", array->rank);
    FAIL_IF(array->count < 1 || array->count > 3, APL_LENGTH, "⍤ takes 1 to 3 ranks, not %" PRId64,
            array->count);
    TRY(apli_integers(array, "the ranks of ⍤", &integers));
    const int64_t *k = apli_integer_data(integers);
    int64_t count = array->count;
    ranks[0] = count == 2 ? k[1] : k[0];
    ranks[1] = count == 3 ? k[1] : k[0];
    ranks[2] = k[count - 1];
    return APL_OK;
}

AplErr apli_rank(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    TRY(apli_need_function(&self->left, "⍤", "left"));
    const AplFunction *f = self->left.function;
    if (self->right.function) {
        APLI_AUTO AplArray *inner = NULL;
        TRY(apli_call_operand(env, self->right.function, left, right, &inner));
        return apli_call_operand(env, f, NULL, inner, result);
    }
    FAIL_IF(!self->right.array, APL_SYNTAX, "⍤ has no right operand");
    int64_t ranks[3];
    TRY(read_ranks(self->right.array, ranks));
    AUTO_CELLS left_cells = {0}, right_cells = {0};
    const Cells *frame = &right_cells;
    TRY(cells_of(right, left ? ranks[2] : ranks[0], &right_cells));
    if (left) {
        TRY(cells_of(left, ranks[1], &left_cells));
        TRY(agree(&left_cells, &right_cells, &frame));
    }
    if (!frame->frame_rank) return apli_call_operand(env, f, left, right, result);
    __attribute__((cleanup(results_free))) Results results = {.frame = frame};
    int64_t count = frame->count ? frame->count : 1; /* none: f on fills tells the shape */
    for (int64_t i = 0; i < count; i++) {
        APLI_AUTO AplArray *first = NULL, *second = NULL, *made = NULL;
        if (left) TRY(take_cell(&left_cells, i, &first));
        TRY(take_cell(&right_cells, i, &second));
        TRY(apli_call_operand(env, f, first, second, &made));
        TRY(add_result(&results, i, made));
    }
    return finish(env, &results, result);
}
