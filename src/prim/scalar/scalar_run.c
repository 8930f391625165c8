/* The block machine. A program is a list of instructions over values; a value is a leaf, or an instruction's
   result, which lives in a register: a block of elements in one lane. For each block of the result every
   instruction runs once, so that all that lies between the leaves and the result stays in the cache. A value
   of one element beside longer ones is uniform: computed once, and spread over a constant block where it is
   used.

   A single scalar function is a program of one instruction, so there is one implementation. So is a table
   (∘.f), whose leaves are repeated block by block.

   Threads share the blocks of a long result, but for integers, whose type may grow with every block. */
#include "prim/scalar/scalar_run.h"
#include "prim/scalar/scalar.h"

#include "os/parallel.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024, MOST_REGISTERS = 8, MOST_CONSTANTS = 12 };
enum { SHARED = 1 << 16, UNIT = 16 * BLOCK }; /* elements of a result that threads share, and of what one takes */

typedef struct Value {
    AplArray *leaf;       /* NULL: an instruction's result */
    const AplArray *like; /* has the value's shape */
    AplType type;
    bool weak;
    bool uniform;
    int8_t place;    /* of a result: its register */
    int64_t times, period; /* of a table's leaf: each element comes `times` times, after `period` they begin anew; or 0 */
    uint64_t single; /* of a uniform result: the element, as its lane has it */
} Value;

typedef struct Instruction {
    AplScalarPlan plan;
    int left, right, result; /* values; left is -1 when monadic */
    int8_t constant[2];      /* block of a uniform argument, or -1 */
} Instruction;

typedef struct Program {
    Value values[2 * APLI_SCALAR_RUN_MOST_STEPS];
    Instruction instructions[APLI_SCALAR_RUN_MOST_STEPS];
    int value_count, instruction_count, register_count, constant_count;
    unsigned busy; /* registers */
} Program;

/* ---- types --------------------------------------------------------------------------------------------- */

/* Integers are weak beside reals, weak reals beside the others. */
static AplType meet(AplType a, bool a_weak, AplType b, bool b_weak, bool *weak) {
    bool a_integer = apli_type_is_integer(a), b_integer = apli_type_is_integer(b);
    *weak = (a_integer || a_weak) && (b_integer || b_weak);
    if (a_integer && b_integer) return a == APLI_BOOL && b == APLI_BOOL ? APLI_BOOL : APLI_I64;
    if (b_integer || (b_weak && !a_weak && !a_integer)) return a;
    if (a_integer || (a_weak && !b_weak)) return b;
    return apli_type_join(a, b);
}

AplScalarPlan apli_scalar_plan(AplScalarOp op, AplType left_type, bool left_weak, AplType right_type,
                               bool right_weak, bool widen) {
    AplScalarKernel *const *kernels = apli_scalar_kernels()->op[op];
    bool dyadic = op >= APLI_OP_ADD;
    AplScalarPlan plan = {.computed = right_type, .weak = right_weak || apli_type_is_integer(right_type)};
    if (dyadic) plan.computed = meet(left_type, left_weak, right_type, right_weak, &plan.weak);
    plan.lane = apli_lane(plan.computed);
    if (plan.lane == APLI_LANE_BITS && !kernels[APLI_LANE_BITS]) plan.lane = APLI_LANE_INTEGER;
    if (plan.lane <= APLI_LANE_INTEGER && (widen || !kernels[plan.lane])) plan.lane = APLI_LANE_DOUBLE;
    if (plan.lane == APLI_LANE_SINGLE && dyadic && apli_scalar_results[op] == APLI_RESULT_BOOLEAN) {
        /* an integer of more than 24 bits is compared as itself, not as the f32 beside it */
        bool wide_left = left_type > APLI_I16 && left_type <= APLI_I64;
        bool wide_right = right_type > APLI_I16 && right_type <= APLI_I64;
        if (wide_left || wide_right) plan.lane = APLI_LANE_DOUBLE;
        plan.narrow = plan.computed == APLI_F16 || plan.computed == APLI_BF16;
    }
    plan.kernel = kernels[plan.lane];
    static const AplType types[] = {APLI_BOOL, APLI_I64, APLI_F32, APLI_F64};
    switch (apli_scalar_results[op]) {
    case APLI_RESULT_BOOLEAN: plan.type = APLI_BOOL; break;
    case APLI_RESULT_INTEGER: plan.type = plan.lane == APLI_LANE_BITS ? APLI_BOOL : APLI_I64; break;
    default: plan.type = plan.lane == APLI_LANE_SINGLE ? plan.computed : types[plan.lane]; break;
    }
    plan.weak = plan.weak && plan.type == APLI_F64;
    return plan;
}

/* ---- programs ------------------------------------------------------------------------------------------ */

static int add_leaf(Program *program, AplArray *leaf) {
    Value *value = &program->values[program->value_count];
    value->leaf = leaf;
    value->like = leaf;
    value->type = (AplType)leaf->type;
    value->weak = leaf->weak;
    value->times = value->period = 0;
    return program->value_count++;
}

static void append_instruction(Program *program, AplScalarOp op, int left, int right, const AplArray *like,
                               bool widen) {
    const Value *a = left < 0 ? NULL : &program->values[left], *b = &program->values[right];
    Instruction *instruction = &program->instructions[program->instruction_count++];
    instruction->plan =
        apli_scalar_plan(op, a ? a->type : b->type, a ? a->weak : b->weak, b->type, b->weak, widen);
    instruction->left = left;
    instruction->right = right;
    instruction->result = program->value_count;
    Value *result = &program->values[program->value_count++];
    result->leaf = NULL;
    result->like = like;
    result->type = instruction->plan.type;
    result->weak = instruction->plan.weak;
    result->times = result->period = 0;
}

/* Adds an instruction over values that conform; false when they do not. */
static bool add_instruction(Program *program, AplScalarOp op, int left, int right, bool widen) {
    const Value *a = left < 0 ? NULL : &program->values[left], *b = &program->values[right];
    const AplArray *like = b->like;
    if (a && a->like != like) {
        bool a_one = a->like->count == 1, b_one = like->count == 1;
        if (a_one && b_one) like = a->like->rank > like->rank ? a->like : like;
        else if (b_one) like = a->like;
        else if (!a_one && !apli_same_shape(a->like, like)) return false;
    }
    append_instruction(program, op, left, right, like, widen);
    return true;
}

/* Finds what is uniform in a result of `count` elements, and gives registers and constant blocks. */
static bool place(Program *program, int64_t count) {
    for (int i = 0; i < program->value_count; i++)
        program->values[i].uniform = count != 1 && program->values[i].like->count == 1;
    for (int i = 0; i < program->instruction_count; i++) {
        Instruction *instruction = &program->instructions[i];
        Value *result = &program->values[instruction->result];
        instruction->constant[0] = instruction->constant[1] = -1;
        if (result->uniform) continue;
        int arguments[2] = {instruction->left, instruction->right};
        unsigned busy = program->busy;
        for (int side = 0; side < 2; side++) {
            if (arguments[side] < 0) continue;
            const Value *argument = &program->values[arguments[side]];
            if (argument->uniform) instruction->constant[side] = (int8_t)program->constant_count++;
            else if (!argument->leaf) busy &= ~(1u << argument->place);
        }
        /* not an argument's register: a kernel may write wider elements than it reads */
        int free_register = __builtin_ctz(~program->busy);
        if (free_register >= MOST_REGISTERS || program->constant_count > MOST_CONSTANTS) return false;
        result->place = (int8_t)free_register;
        program->busy = busy | 1u << free_register;
        if (free_register >= program->register_count) program->register_count = free_register + 1;
    }
    return true;
}

/* ---- execution ----------------------------------------------------------------------------------------- */

typedef struct Machine {
    AplEnv *env;
    const AplScalarKernels *kernels;
    Program *program;
    uint8_t *registers, *constants, *scratch, *repeated; /* blocks of block_bytes; the last two, one an argument */
    size_t block_bytes;
    double tolerance;
    /* an integer result: grows to the type that holds all so far */
    AplArray *result;
    int64_t low, high;
} Machine;

static size_t lane_bytes(AplLane lane) { return lane == APLI_LANE_SINGLE ? 4 : 8; }

/* The type of the elements that a value's storage or register holds. */
static AplType held_type(const Value *value) {
    bool half = value->type == APLI_F16 || value->type == APLI_BF16;
    return half && !value->leaf ? APLI_F32 : value->type;
}

static void round_to(const Machine *machine, AplType type, float *values, int64_t count) {
    uint16_t halves[BLOCK];
    machine->kernels->store[type](halves, values, count);
    machine->kernels->load[type][APLI_LANE_SINGLE](values, halves, count);
}

/* `count` elements in an instruction's lane, in `block` unless they can be read where they are. */
static const void *load(const Machine *machine, const Instruction *instruction, const Value *value,
                        const void *from, int64_t count, void *block) {
    static const AplType own[] = {APLI_BOOL, APLI_I64, APLI_F32, APLI_F64};
    const AplScalarPlan *plan = &instruction->plan;
    AplType type = held_type(value);
    if (type == own[plan->lane]) return from;
    machine->kernels->load[type][plan->lane](block, from, count);
    if (plan->narrow && value->type == APLI_F64 && plan->lane == APLI_LANE_SINGLE)
        round_to(machine, plan->computed, block, count);
    return block;
}

#define REPEAT_LEAF(TYPE) \
    { \
        const TYPE *elements = (const TYPE *)value->leaf->data; \
        TYPE *t = to; \
        if (value->times == 1) { \
            for (int64_t at = base % value->period, done = 0, run; done < count; done += run, at = 0) { \
                run = count - done < value->period - at ? count - done : value->period - at; \
                memcpy(t + done, elements + at, (size_t)run * sizeof *t); \
            } \
            break; \
        } \
        for (int64_t at = base / value->times, done = 0, run, left = value->times - base % value->times; done < count; \
             done += run, left = value->times, at++) { \
            run = count - done < left ? count - done : left; \
            for (int64_t i = 0; i < run; i++) t[done + i] = elements[at]; \
        } \
        break; \
    }

/* Elements base..base+count-1 of a table's leaf, which is not of bits. */
static const void *repeat_leaf(const Value *value, int64_t base, int64_t count, void *to) {
    const int64_t from = base % value->period;
    if (value->times == 1 && from + count <= value->period) return value->leaf->data + apli_type_bytes(value->type, from);
    switch (apli_types[value->type].bits) {
    case 8: REPEAT_LEAF(uint8_t)
    case 16: REPEAT_LEAF(uint16_t)
    case 32: REPEAT_LEAF(uint32_t)
    default: REPEAT_LEAF(uint64_t)
    }
    return to;
}

static const void *argument(const Machine *machine, const Instruction *instruction, int side, int64_t base,
                            int64_t count) {
    const Value *value = &machine->program->values[side ? instruction->right : instruction->left];
    if (instruction->constant[side] >= 0)
        return machine->constants + (size_t)instruction->constant[side] * machine->block_bytes;
    const void *from = value->times  ? repeat_leaf(value, base, count, machine->repeated + (size_t)side * machine->block_bytes)
                       : value->leaf ? value->leaf->data + apli_type_bytes(value->type, base)
                                     : machine->registers + (size_t)value->place * machine->block_bytes;
    return load(machine, instruction, value, from, count,
                machine->scratch + (size_t)side * machine->block_bytes);
}

/* A result past the largest double from arguments that were not. */
static int check_finite(const AplScalarKernels *kernels, const double *result, const double *left,
                        const double *right, int64_t count) {
    if (kernels->all_finite(result, count)) return 0;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(result[i]) && isfinite(right[i]) && (!left || isfinite(left[i])))
            return APLI_SCALAR_DOMAIN;
    return 0;
}

static int run_kernel(const Machine *machine, const Instruction *instruction, const void *left,
                      const void *right, void *result, int64_t count) {
    const AplScalarPlan *plan = &instruction->plan;
    int status = plan->kernel(result, left, right, count, machine->tolerance);
    if (status) return status;
    if (plan->lane == APLI_LANE_DOUBLE && plan->type == APLI_F64)
        return check_finite(machine->kernels, result, left, right, count);
    if (plan->type == APLI_F16 || plan->type == APLI_BF16) round_to(machine, plan->type, result, count);
    return 0;
}

static int run_uniform(const Machine *machine, const Instruction *instruction) {
    Value *values = machine->program->values;
    uint64_t loaded[2] = {0};
    const void *arguments[2] = {NULL, NULL};
    for (int side = 0; side < 2; side++) {
        int index = side ? instruction->right : instruction->left;
        if (index < 0) continue;
        const Value *value = &values[index];
        const void *from = value->leaf ? (const void *)value->leaf->data : &value->single;
        arguments[side] = load(machine, instruction, value, from, 1, &loaded[side]);
    }
    return run_kernel(machine, instruction, arguments[0], arguments[1], &values[instruction->result].single,
                      1);
}

static void spread(const Machine *machine, const Instruction *instruction, int side, int64_t block) {
    const Value *value = &machine->program->values[side ? instruction->right : instruction->left];
    uint8_t *to = machine->constants + (size_t)instruction->constant[side] * machine->block_bytes;
    uint64_t loaded = 0;
    const void *from = value->leaf ? (const void *)value->leaf->data : &value->single;
    const void *one = load(machine, instruction, value, from, 1, &loaded);
    if (instruction->plan.lane == APLI_LANE_BITS) {
        memset(to, *(const uint8_t *)one & 1 ? 0xFF : 0, machine->block_bytes);
    } else if (lane_bytes(instruction->plan.lane) == 4) {
        float element;
        memcpy(&element, one, 4);
        for (int64_t i = 0; i < block; i++) ((float *)to)[i] = element;
    } else {
        uint64_t element;
        memcpy(&element, one, 8);
        for (int64_t i = 0; i < block; i++) ((uint64_t *)to)[i] = element;
    }
}

static AplErr store_integers(Machine *machine, const AplArray *like, const int64_t *values, int64_t base,
                             int64_t count) {
    machine->kernels->range(values, count, &machine->low, &machine->high);
    AplType needed = apli_type_for_range(machine->low, machine->high);
    AplArray *old = machine->result;
    if (!old || needed > old->type) {
        AplArray *larger;
        TRY(apli_array_new_like(needed, like, &larger));
        if (old && base) apli_elem_convert(needed, larger->data, 0, (AplType)old->type, old->data, 0, base);
        apli_array_release(old);
        machine->result = larger;
    }
    AplType type = (AplType)machine->result->type;
    machine->kernels->store[type](machine->result->data + apli_type_bytes(type, base), values, count);
    return APL_OK;
}

/* Computes what is uniform, and spreads it over constant blocks. */
static int run_constants(Machine *machine, int64_t block) {
    Program *program = machine->program;
    for (int i = 0; i < program->instruction_count; i++) {
        const Instruction *instruction = &program->instructions[i];
        int status = program->values[instruction->result].uniform ? run_uniform(machine, instruction) : 0;
        if (status) return status;
        for (int side = 0; side < 2; side++)
            if (instruction->constant[side] >= 0) spread(machine, instruction, side, block);
    }
    return 0;
}

/* Runs the program over the blocks from element `begin` to before `end`. What the kernels say, and in which block. */
static AplErr run_blocks(Machine *machine, int64_t block, int64_t begin, int64_t end, int *status, int64_t *failed) {
    Program *program = machine->program;
    const Value *last = &program->values[program->value_count - 1];
    bool integers = last->type == APLI_I64;
    bool in_place = !integers && machine->result->references > 1;
    bool direct = !in_place && (last->type == APLI_F32 || last->type == APLI_F64);
    int64_t turn = 0;
    for (int64_t base = begin; base < end; base += block) {
        int64_t part = end - base < block ? end - base : block;
        const void *value = NULL;
        *failed = base;
        if ((++turn & 0xFF) == 0) TRY(apli_check(machine->env));
        for (int i = 0; i < program->instruction_count; i++) {
            const Instruction *instruction = &program->instructions[i];
            const Value *result = &program->values[instruction->result];
            if (result->uniform) continue;
            const void *left = instruction->left < 0 ? NULL : argument(machine, instruction, 0, base, part);
            const void *right = argument(machine, instruction, 1, base, part);
            void *to = direct && result == last
                           ? machine->result->data + apli_type_bytes(last->type, base)
                           : machine->registers + (size_t)result->place * machine->block_bytes;
            if ((*status = run_kernel(machine, instruction, left, right, to, part))) return APL_OK;
            value = to;
        }
        if (direct) continue;
        if (integers) TRY(store_integers(machine, last->like, value, base, part));
        else {
            uint8_t *to = machine->result->data + apli_type_bytes(last->type, base);
            if (last->type == APLI_BOOL) memcpy(to, value, (size_t)(part + 7) / 8);
            else machine->kernels->store[last->type](to, value, part);
        }
    }
    return APL_OK;
}

/* Where the blocks that one thread works on lie in its memory. */
static size_t own_bytes(const Machine *machine, const Program *program) {
    return (size_t)(program->register_count + 4) * machine->block_bytes + APLI_ALIGNMENT;
}
static void place_own(Machine *machine, const Program *program, uint8_t *memory) {
    machine->registers = memory + (-(uintptr_t)memory & (APLI_ALIGNMENT - 1));
    machine->scratch = machine->registers + (size_t)program->register_count * machine->block_bytes;
    machine->repeated = machine->scratch + 2 * machine->block_bytes;
}

typedef struct SharedRun {
    const Machine *machine;
    int64_t count;
    int64_t failed; /* the first block where something went wrong, else INT64_MAX */
} SharedRun;

static void run_unit(void *context, int64_t unit, int thread) {
    (void)thread;
    SharedRun *shared = context;
    Machine machine = *shared->machine;
    uint8_t memory[own_bytes(&machine, machine.program)];
    place_own(&machine, machine.program, memory);
    int64_t begin = unit * UNIT, end = shared->count - begin < UNIT ? shared->count : begin + UNIT, failed;
    int64_t first = __atomic_load_n(&shared->failed, __ATOMIC_RELAXED);
    int status = 0;
    if (machine.env->interrupted || first < begin) return;
    if (run_blocks(&machine, BLOCK, begin, end, &status, &failed) || !status) return; /* no check among so few blocks */
    while (failed < first && !__atomic_compare_exchange_n(&shared->failed, &first, failed, false, __ATOMIC_RELAXED,
                                                          __ATOMIC_RELAXED)) {}
}

/* The same on several threads. The block that failed first runs once more, to say what was wrong. */
static AplErr run_shared(Machine *machine, int64_t count, int *status, int64_t *failed) {
    SharedRun shared = {machine, count, INT64_MAX};
    apli_parallel((count + UNIT - 1) / UNIT, apli_parallel_threads(), run_unit, &shared);
    TRY(apli_check(machine->env));
    if (shared.failed == INT64_MAX) return APL_OK;
    int64_t end = count - shared.failed < BLOCK ? count : shared.failed + BLOCK;
    return run_blocks(machine, BLOCK, shared.failed, end, status, failed);
}

/* An argument of the result's type and shape that may be overwritten, for a program of one instruction: what
   it destroys on the way to an error, no one sees. */
static AplArray *reusable(const Program *program, const Value *last) {
    if (program->instruction_count > 1) return NULL;
    for (int i = 0; i < program->value_count - 1; i++) {
        const Value *value = &program->values[i];
        if (value->leaf && !value->times && value->type == last->type && value->leaf->storage &&
            apli_may_overwrite(value->leaf) && apli_same_shape(value->leaf, last->like))
            return value->leaf;
    }
    return NULL;
}

static AplErr execute(AplEnv *env, Program *program, AplArray **result, int *status, int64_t *failed) {
    const Value *last = &program->values[program->value_count - 1];
    int64_t count = last->like->count, block = count < BLOCK ? count : BLOCK;
    Machine machine = {.env = env,
                       .kernels = apli_scalar_kernels(),
                       .program = program,
                       .tolerance = env->comparison_tolerance,
                       .low = INT64_MAX,
                       .high = INT64_MIN};
    machine.block_bytes = ((size_t)block * 8 + APLI_ALIGNMENT - 1) / APLI_ALIGNMENT * APLI_ALIGNMENT;
    const size_t own = own_bytes(&machine, program);
    uint8_t memory[own + (size_t)program->constant_count * machine.block_bytes];
    place_own(&machine, program, memory);
    machine.constants = machine.repeated + 2 * machine.block_bytes;
    if (last->type != APLI_I64 || count == 0) {
        AplArray *reused = count ? reusable(program, last) : NULL;
        if (reused) machine.result = apli_array_retain(reused);
        else
            TRY(apli_array_new_like(last->type == APLI_I64 ? APLI_BOOL : last->type, last->like,
                                    &machine.result));
    }
    *failed = 0;
    AplErr error = APL_OK;
    if (!(*status = run_constants(&machine, block)))
        error = last->type != APLI_I64 && count >= SHARED ? run_shared(&machine, count, status, failed)
                                                          : run_blocks(&machine, block, 0, count, status, failed);
    if (error || *status) {
        apli_array_release(machine.result);
        return error;
    }
    machine.result->weak = last->weak;
    *result = machine.result;
    return APL_OK;
}

AplErr apli_scalar_apply(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, bool widen,
                         AplArray **result, int *status, int64_t *failed) {
    Program program;
    program.value_count = program.instruction_count = program.register_count = program.constant_count = 0;
    program.busy = 0;
    *status = 0;
    int a = left ? add_leaf(&program, left) : -1, b = add_leaf(&program, right);
    add_instruction(&program, op, a, b, widen);
    place(&program, program.values[program.value_count - 1].like->count);
    return execute(env, &program, result, status, failed);
}

AplErr apli_scalar_along(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, AplArray **result, int *status) {
    Program program;
    program.value_count = program.instruction_count = program.register_count = program.constant_count = 0;
    program.busy = 0;
    const bool left_smaller = left->count < right->count;
    const int a = add_leaf(&program, left), b = add_leaf(&program, right);
    Value *smaller = &program.values[left_smaller ? a : b];
    smaller->like = left_smaller ? right : left;
    smaller->times = 1;
    smaller->period = smaller->leaf->count;
    append_instruction(&program, op, a, b, smaller->like, false);
    place(&program, smaller->like->count);
    int64_t failed;
    return execute(env, &program, result, status, &failed);
}

AplErr apli_scalar_table(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, int rank,
                         const int64_t *shape, bool widen, AplArray **result, int *status, int64_t *failed) {
    Program program;
    program.value_count = program.instruction_count = program.register_count = program.constant_count = 0;
    program.busy = 0;
    *status = 0;
    APLI_AUTO AplArray *a = NULL, *b = NULL;
    TRY(apli_convert(left, left->type == APLI_BOOL ? APLI_I8 : (AplType)left->type, &a));
    TRY(apli_convert(right, right->type == APLI_BOOL ? APLI_I8 : (AplType)right->type, &b));
    AplArray like = {.rank = (uint8_t)rank, .shape = (int64_t *)shape, .count = left->count * right->count};
    int x = add_leaf(&program, a), y = add_leaf(&program, b);
    program.values[x].times = right->count;
    program.values[x].period = like.count;
    program.values[y].times = 1;
    program.values[y].period = right->count;
    append_instruction(&program, op, x, y, &like, widen);
    place(&program, like.count);
    return execute(env, &program, result, status, failed);
}

AplErr apli_scalar_run(AplEnv *env, const AplScalarStep *steps, int step_count, AplArray *const *leaves,
                       int leaf_count, AplArray **result, bool *declined) {
    Program program;
    program.value_count = program.instruction_count = program.register_count = program.constant_count = 0;
    program.busy = 0;
    *declined = true;
    if (step_count > APLI_SCALAR_RUN_MOST_STEPS || leaf_count > APLI_SCALAR_RUN_MOST_STEPS) return APL_OK;
    int stack[APLI_SCALAR_RUN_MOST_STEPS], depth = 0;
    for (int i = 0; i < leaf_count; i++)
        if (leaves[i]->form == APLI_PLAIN && !apli_type_is_number((AplType)leaves[i]->type)) return APL_OK;
    AplArray *plain[APLI_SCALAR_RUN_MOST_STEPS];
    int plain_count = 0;
    AplErr error = APL_OK;
    for (; plain_count < leaf_count && !error; plain_count += !error)
        error = apli_plain(leaves[plain_count], &plain[plain_count]);
    bool possible = !error;
    for (int i = 0; i < step_count && possible; i++) {
        const AplScalarStep *step = &steps[i];
        if (step->kind == APLI_STEP_LEAF) {
            possible = apli_type_is_number((AplType)plain[step->leaf]->type);
            stack[depth++] = add_leaf(&program, plain[step->leaf]);
            continue;
        }
        bool dyadic = step->kind == APLI_STEP_DYADIC;
        AplScalarOp op = dyadic ? apli_scalar_dyadic_op(step->prim) : apli_scalar_monadic_op(step->prim);
        possible = op != APLI_OP_NONE && depth > dyadic;
        if (!possible) break;
        int left = dyadic ? stack[--depth] : -1, right = stack[--depth];
        possible = add_instruction(&program, op, left, right, false);
        stack[depth++] = program.value_count - 1;
    }
    possible = possible && depth == 1 && program.instruction_count > 0 &&
               place(&program, program.values[program.value_count - 1].like->count);
    if (possible) {
        int status = 0;
        int64_t failed;
        error = execute(env, &program, result, &status, &failed);
        *declined = status != 0;
    }
    while (plain_count > 0) apli_array_release(plain[--plain_count]);
    return error;
}
