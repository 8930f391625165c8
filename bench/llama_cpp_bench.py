#!/usr/bin/env python3
"""What llama-bench measures and prints, by the Python package llama-cpp-python (its build of llama.cpp has no llama-bench):

    python3 bench/llama_cpp_bench.py MODEL.gguf [-p 512] [-n 128] [-d 0] [-t 2] [-r 3] [-fa 0]

A prompt of -p random tokens as one batch, with the last one's logits; then -n single tokens; each after -d tokens that the
context holds, once unmeasured and then -r times. Prints JSON as `llama-bench -o json` does, so that
`aplaca bench --against` reads it:

    aplaca bench MODEL.gguf --against 'python3 bench/llama_cpp_bench.py {model} -p {prompt} -n {decode} -d {depth} -t {threads} -r 1'
"""
import argparse
import ctypes
import json
import os
import random
import statistics
import time

import llama_cpp


def measure(options):
    size = options.depth + max(options.prompt, options.decode) + 8
    llama = llama_cpp.Llama(options.model, n_ctx=size, n_batch=512, n_ubatch=512, n_threads=options.threads,
                            n_threads_batch=options.threads, flash_attn=bool(options.flash_attention), verbose=False)
    context, vocabulary = llama._ctx.ctx, llama.n_vocab()
    memory = llama_cpp.llama_get_memory(context)
    choose = random.Random(1)

    def evaluate(count):
        tokens = (ctypes.c_int32 * count)(*(choose.randrange(vocabulary) for _ in range(count)))
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(tokens, count)) != 0:
            raise RuntimeError("llama_decode failed")

    def evaluate_prompt(count):
        for done in range(0, count, 512):
            evaluate(min(512, count - done))
        llama_cpp.llama_synchronize(context)

    def decode(count):
        for _ in range(count):
            evaluate(1)
            llama_cpp.llama_synchronize(context)

    evaluate_prompt(options.depth)
    for run, prompt, count in (evaluate_prompt, options.prompt, 0), (decode, 0, options.decode):
        rates = []
        for repetition in range(options.repetitions + 1 if prompt + count else 0):
            start = time.perf_counter()
            run(prompt + count)
            if repetition:
                rates.append((prompt + count) / (time.perf_counter() - start))
            llama_cpp.llama_memory_seq_rm(memory, 0, options.depth, -1)
        if rates:
            yield {"model_filename": options.model, "n_threads": options.threads, "n_prompt": prompt, "n_gen": count,
                   "n_depth": options.depth, "flash_attn": bool(options.flash_attention),
                   "avg_ts": statistics.mean(rates), "samples_ts": rates}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("-p", "--prompt", type=int, default=512)
    parser.add_argument("-n", "--decode", type=int, default=128)
    parser.add_argument("-d", "--depth", type=int, default=0)
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count())
    parser.add_argument("-r", "--repetitions", type=int, default=3)
    parser.add_argument("-fa", "--flash-attention", type=int, default=0)
    print(json.dumps(list(measure(parser.parse_args())), indent=2))


if __name__ == "__main__":
    main()
