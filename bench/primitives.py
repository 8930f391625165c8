#!/usr/bin/env python3
"""Primitives beside numpy: python3 bench/primitives.py PROGRAM [--json FILE] [--only GLYPH ...] [--sizes N ...] [--types T ...]

Each primitive runs on Boolean, 8-bit, 32-bit and f64 arrays of 10, 1000 and 10 million elements, through the interpreter, in
turns with numpy's way of computing the same, in the same minute. A time is the best round's, for one run of the expression.
GB/s are the bytes of the arguments and the result in our representation (a Boolean is a bit), each counted once, beside the
measured read bandwidth. numpy's column is left out where numpy is not installed.
"""
import argparse
import json
import math
import subprocess
import sys
import time

try:
    import numpy
except ImportError:
    numpy = None

TYPES = ("bool", "i8", "i32", "f64")
BITS = {"bool": 1, "i8": 8, "i32": 32, "f64": 64}
NUMPY_TYPES = {"bool": "numpy.bool_", "i8": "numpy.int8", "i32": "numpy.int32", "f64": "numpy.float64"}

# The variables of a case: X, Y of N elements, M a square matrix of about N, V a vector of its side, B a mask of N bits, U and
# W vectors whose table has about N elements. Integers of S are small enough for products of 32 bits to be exact in f64.
APL_DATA = {"bool": "¯1+?{0}⍴2", "i8": "¯101+?{0}⍴200", "i32": "?{0}⍴2147483647", "f64": "?{0}⍴0"}
NUMPY_DATA = {"bool": "rng.integers(0, 2, {0}).astype(numpy.bool_)", "i8": "rng.integers(-100, 100, {0}, dtype=numpy.int8)",
              "i32": "rng.integers(1, 2**31 - 1, {0}, dtype=numpy.int32)", "f64": "rng.random({0})"}
NUMPY_SORT_FIND = "o = numpy.argsort(X, kind='stable'); p = o[numpy.minimum(numpy.searchsorted(X[o], Y), len(X) - 1)]; " \
                  "z = numpy.where(X[p] == Y, p, len(X))"
# Booleans and bytes: what a numpy program would write for keys of few values.
NUMPY_TABLE_FIND = "t = numpy.full(256, len(X)); t[X[::-1].astype(numpy.uint8)] = numpy.arange(len(X))[::-1]; " \
                   "z = t[Y.astype(numpy.uint8)]"
REAL = "Z = X.astype(numpy.float64); "

# glyph, APL, {type: numpy} ("*": every other type; None: not measured), bits moved an element of N (of the type; fixed)
CASES = [
    ("+/", "+/X", {"bool": "X.sum()", "*": "X.sum(dtype=numpy.int64)", "f64": "X.sum()"}, (1, 0)),
    ("∨/", "∨/L", {"bool": "L.any()", "f64": None, "*": "numpy.gcd.reduce(L)"}, (1, 0)),
    ("⍋", "⍋X", {"*": "numpy.argsort(X, kind='stable')"}, (1, 32)),
    ("⍋ (numpy unstable)", "⍋X", {"*": "numpy.argsort(X)"}, (1, 32)),
    ("⍳", "X⍳Y", {"bool": NUMPY_TABLE_FIND, "i8": NUMPY_TABLE_FIND, "*": NUMPY_SORT_FIND}, (2, 32)),
    ("∊", "X∊Y", {"*": "numpy.isin(X, Y)"}, (2, 1)),
    ("⌽", "⌽X", {"*": "X[::-1].copy()"}, (2, 0)),
    ("⍉ (ravelled)", ",⍉M", {"*": "M.T.ravel()"}, (2, 0)),
    # numpy's @ of Booleans only tells whether there is a 1: what counts them in numpy
    ("+.× (vector)", "MS+.×VS", {"bool": "numpy.count_nonzero(MS & VS, axis=1)", "*": "MS @ VS"}, (1, 0)),
    ("+.× (matrix)", "MS+.×MS", {"bool": "F = MS.astype(numpy.float32); z = F @ F", "*": "MS @ MS"}, (2, 0)),
    ("∘.=", "U∘.=W", {"*": "U[:, None] == W"}, (0, 1)),
    ("+\\", "+\\X", {"*": "numpy.cumsum(X, dtype=numpy.int64)", "f64": "numpy.cumsum(X)"}, (1, 32)),
    ("∨\\", "∨\\L", {"bool": "numpy.logical_or.accumulate(L)", "*": None}, (2, 0)),
    ("≠\\", "≠\\X", {"bool": "numpy.logical_xor.accumulate(X)", "*": None}, (2, 0)),
    ("\\ (expand)", "B\\XB", {"*": "z = numpy.zeros_like(X); z[B] = XB"}, (1.5, 1)),
    ("/ (compress)", "B/X", {"*": "X[B]"}, (1.5, 1)),
    ("X÷1+*-X", "X÷1+*-X", {"f64": "X / (1 + numpy.exp(-X))", "*": REAL + "Z / (1 + numpy.exp(-Z))"}, (1, 64)),
]
# Square products grow by the power 1.5: the largest are of fewer elements, where numpy has no BLAS.
MOST_PRODUCT = {"bool": 10**6, "i8": 10**6, "i32": 10**6, "f64": 10**7}


class Aplaca:
    def __init__(self, program, script):
        self.process = subprocess.Popen([program, "apl", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="utf-8", bufsize=1)

    def run(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline().strip() != "done":
            raise RuntimeError(f"aplaca stopped at: {text}")

    def close(self):
        self.process.communicate("\n")

    def timed(self, expression, count):
        begin = time.perf_counter()
        self.run(f"{count} repeat '{expression}'")
        return (time.perf_counter() - begin) / count


class Numpy:
    def __init__(self):
        self.names = {"numpy": numpy, "rng": numpy.random.default_rng(1)}

    def run(self, text):
        exec(text, self.names)

    def timed(self, statement, count):
        if "=" not in statement.split("(")[0]:
            statement = "z = " + statement
        indented = statement.replace("; ", "\n        ")
        exec(f"def round_(count):\n    for i in range(count):\n        {indented}\n", self.names)
        begin = time.perf_counter()
        self.names["round_"](count)
        return (time.perf_counter() - begin) / count


def prepare(ours, theirs, kind, size):
    side = math.isqrt(size)
    data = APL_DATA[kind]
    ours.run(f"X←{data.format(size)} ⋄ Y←{data.format(size)} ⋄ M←{data.format(f'{side} {side}')}")
    ours.run(f"U←{data.format(side)} ⋄ W←{data.format(side)} ⋄ B←¯1+?{size}⍴2 ⋄ XB←B/X")
    ours.run(f"MS←{'¯1000000+?' + f'{side} {side}⍴2000000' if kind == 'i32' else 'M'} ⋄ VS←MS[1;]")
    ours.run({"bool": f"L←(({size}-1)⍴0),1", "i8": f"L←2×¯51+?{size}⍴100"}.get(kind, "L←X"))
    if not theirs:
        return
    data = NUMPY_DATA[kind]
    theirs.run(f"X = {data.format(size)}; Y = {data.format(size)}; M = {data.format(f'({side}, {side})')}")
    theirs.run(f"U = {data.format(side)}; W = {data.format(side)}; B = rng.integers(0, 2, {size}).astype(numpy.bool_); XB = X[B]")
    small = f"rng.integers(-10**6, 10**6, ({side}, {side}), dtype=numpy.int32)" if kind == "i32" else "M"
    theirs.run(f"MS = {small}; VS = MS[0].copy(); L = X.copy()")
    if kind == "bool":
        theirs.run("L[:] = False; L[-1] = True")
    if kind == "i8":
        theirs.run(f"L = 2 * rng.integers(-50, 50, {size}, dtype=numpy.int8)")


def measure(machine, expression, seconds):
    """How often the expression runs in about `seconds`, and how long it takes."""
    count, taken = 1, machine.timed(expression, 1)
    if taken < seconds * 10:  # the first run may have waited for the processor
        taken = min(taken, machine.timed(expression, 1), machine.timed(expression, 1))
    while taken * count < seconds / 4 and count < 1 << 22:
        count = max(count * 2, min(count * 50, int(seconds / max(taken, 1e-8))))
        taken = machine.timed(expression, count)
    return count, taken


def compare(ours, theirs, expression, statement, seconds, rounds):
    """The best time of each, taken in turns."""
    sides = [(ours, expression)] + ([(theirs, statement)] if theirs else [])
    started = [measure(machine, text, seconds) for machine, text in sides]
    counts = [count for count, _ in started]
    best = [taken for _, taken in started]
    for _ in range(rounds):
        if sum(best) > 1:  # what takes seconds is not measured better by taking more of them
            break
        for i, (machine, text) in enumerate(sides):
            best[i] = min(best[i], machine.timed(text, counts[i]))
            if best[i] * counts[i] < seconds / 8:  # too short a round, from a time that was too long
                counts[i] *= 8
    return best if theirs else [best[0], None]


def ceilings(program):
    """Measured bytes read a second, by number of threads."""
    text = subprocess.run([program, "doctor", "--json"], capture_output=True, text=True, check=False).stdout
    return {rate["threads"]: rate["read_bytes_per_second"] / 1e9 for rate in json.loads(text)["measured"]}


def time_text(seconds):
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--json")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--sizes", nargs="*", type=int, default=[10, 1000, 10**7])
    parser.add_argument("--types", nargs="*", default=TYPES)
    parser.add_argument("--seconds", type=float, default=0.03)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    script = __file__.rsplit(".", 1)[0] + ".apl"
    ours, theirs = Aplaca(options.program, script), Numpy() if numpy else None
    rates = ceilings(options.program)
    print("primitives, " + (f"beside numpy {numpy.__version__}" if numpy else "without numpy, which is not installed here"))
    print("measured ceiling: " + ", ".join(f"{rate:.1f} GB/s on {threads} thread(s)" for threads, rate in rates.items()))
    print(f"{'':20}{'type':6}{'elements':>9}{'aplaca':>10}{'numpy':>10}{'ratio':>8}{'GB/s':>8}")
    rows = []
    for size in options.sizes:
        for kind in options.types:
            prepare(ours, theirs, kind, size)
            for glyph, expression, statements, (elements, fixed) in CASES:
                statement = statements.get(kind, statements["*"])
                if statement is None or (options.only and not any(glyph.startswith(o) for o in options.only)):
                    continue
                count = size
                if glyph == "+.× (matrix)" and size > MOST_PRODUCT[kind]:
                    count = MOST_PRODUCT[kind]
                    prepare(ours, theirs, kind, count)
                own, other = compare(ours, theirs, expression, statement, options.seconds, options.rounds)
                if count != size:
                    prepare(ours, theirs, kind, size)
                speed = count * (elements * BITS[kind] + fixed) / 8 / own / 1e9
                rows.append({"primitive": glyph, "expression": expression, "type": kind, "elements": count,
                             "seconds": own, "numpy_seconds": other, "ratio": other and other / own, "gb_s": speed})
                ratio = f"{other / own:.2f}" if other else "-"
                print(f"{glyph:20}{kind:6}{count:>9}{time_text(own):>10}{time_text(other) if other else '-':>10}"
                      f"{ratio:>8}{speed:>8.2f}", flush=True)
    ours.close()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"read_gb_s": rates, "numpy": numpy and numpy.__version__, "rows": rows}, file, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    sys.exit(main())
