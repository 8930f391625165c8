#!/usr/bin/env python3
"""How fast llama.cpp is here: python3 bench/compare_llama_cpp.py MODEL.gguf [--threads 1 2] [--prompt 256] [--tokens 128]

Prints, for each number of threads, prompt tokens/s (one batch) and decode tokens/s (greedy, one token a call, after a
64-token prompt). Each is the best of --rounds runs. Needs the Python package llama-cpp-python.
"""
import argparse
import ctypes
import time

import llama_cpp


def measure(model, threads, prompt_length, token_count, rounds):
    """Best prompt and decode speeds, in tokens a second, by the C interface, so that Python's share is a few calls."""
    llama = llama_cpp.Llama(model, n_ctx=max(prompt_length, 64 + token_count) + 8, n_batch=512, n_threads=threads,
                            n_threads_batch=threads, verbose=False)
    text = "The history of the city begins with a small harbour on the northern bank of the river. " * 64
    tokens = llama.tokenize(text.encode())
    context = llama._ctx.ctx
    greedy = llama_cpp.llama_sampler_init_greedy()

    def decode(batch):
        array = (ctypes.c_int32 * len(batch))(*batch)
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(array, len(batch))) != 0:
            raise RuntimeError("llama_decode failed")

    def restart():
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)

    prompt_speed = decode_speed = 0.0
    for _ in range(rounds):
        restart()
        start = time.perf_counter()
        decode(tokens[:prompt_length])
        llama_cpp.llama_sampler_sample(greedy, context, -1)
        prompt_speed = max(prompt_speed, prompt_length / (time.perf_counter() - start))
        restart()
        decode(tokens[:64])
        token = llama_cpp.llama_sampler_sample(greedy, context, -1)
        start = time.perf_counter()
        for _ in range(token_count):
            decode([token])
            token = llama_cpp.llama_sampler_sample(greedy, context, -1)
        decode_speed = max(decode_speed, token_count / (time.perf_counter() - start))
    llama_cpp.llama_sampler_free(greedy)
    return prompt_speed, decode_speed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'threads':>7}  {'prompt tokens/s':>15}  {'decode tokens/s':>15}")
    for threads in options.threads:
        prompt_speed, decode_speed = measure(options.model, threads, options.prompt, options.tokens, options.rounds)
        print(f"{threads:>7}  {prompt_speed:>15.1f}  {decode_speed:>15.1f}")


if __name__ == "__main__":
    main()
