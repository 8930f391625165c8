#!/usr/bin/env python3
"""Makes tests/data/greedy_smollm2.json (engine llama.cpp) or greedy_smollm2_f32.json (engine transformers): greedy
continuations of five prompts by 64 tokens each, with the default model's file.

    python3 tests/reference/greedy_smollm2.py llama.cpp    models/smollm2-135m-instruct-q4_1.gguf
    python3 tests/reference/greedy_smollm2.py transformers models/smollm2-135m-instruct-q4_1.gguf

llama.cpp (llama-cpp-python) rounds activations to 8 bits before a product with 4-bit weights; transformers computes in
float32 on the dequantized weights. The prompts are raw text without a chat template; their token ids are listed, by
llama.cpp's tokenizer, no token added in front. Each step records the token taken and the logits of the two best tokens
[best, logit, second, logit], so that a near-tie can be told. Nothing ends a continuation early.
"""
import json
import os
import sys

import numpy

PROMPTS = [
    "Once upon a time, in a village at the foot of the mountains, there lived",
    "The three most important inventions of the nineteenth century are",
    "To make a good cup of tea, first",
    "import numpy as np\n\ndef softmax(x):\n",
    "Q: What is the capital of France?\nA:",
]
STEPS = 64


def with_llama_cpp(path):
    """Returns a description, and a function from token ids to a stepper (ids -> last position's logits)."""
    import llama_cpp

    llama = llama_cpp.Llama(path, n_ctx=512, n_threads=2, n_threads_batch=2, verbose=False)

    def start():
        llama.reset()

        def step(ids):
            llama.eval(ids)
            pointer = llama_cpp.llama_get_logits_ith(llama._ctx.ctx, -1)
            return numpy.ctypeslib.as_array(pointer, shape=(llama.n_vocab(),)).copy()
        return step

    tokens = [llama.tokenize(prompt.encode(), add_bos=False, special=False) for prompt in PROMPTS]
    return {"llama-cpp-python": llama_cpp.__version__}, tokens, start


def with_transformers(path):
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    import torch
    import transformers

    folder, name = os.path.split(os.path.abspath(path))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()

    def start():
        cache = transformers.DynamicCache()

        def step(ids):
            with torch.no_grad():
                return model(torch.tensor([ids]), past_key_values=cache, use_cache=True).logits[0, -1].numpy()
        return step

    with open(data_file("greedy_smollm2.json"), encoding="utf-8") as file:
        tokens = [entry["tokens"] for entry in json.load(file)["prompts"]]
    return {"transformers": transformers.__version__, "torch": torch.__version__}, tokens, start


def data_file(name):
    return os.path.join(os.path.dirname(__file__), "..", "data", name)


def main():
    engine, path = sys.argv[1:3]
    versions, all_tokens, start = (with_llama_cpp if engine == "llama.cpp" else with_transformers)(path)
    prompts = []
    for text, tokens in zip(PROMPTS, all_tokens):
        step = start()
        logits = step(tokens)
        taken, best = [], []
        for _ in range(STEPS):
            first, second = numpy.argsort(-logits, kind="stable")[:2].tolist()
            taken.append(first)
            best.append([first, round(float(logits[first]), 5), second, round(float(logits[second]), 5)])
            logits = step([first])
        prompts.append({"text": text, "tokens": tokens, "continuation": taken, "best_two": best})
        print(len(tokens), "tokens, least margin", min(row[1] - row[3] for row in best))
    name = "greedy_smollm2.json" if engine == "llama.cpp" else "greedy_smollm2_f32.json"
    with open(data_file(name), "w", encoding="utf-8") as file:
        json.dump({"made_by": "tests/reference/greedy_smollm2.py", **versions, "model": os.path.basename(path),
                   "prompts": prompts}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
