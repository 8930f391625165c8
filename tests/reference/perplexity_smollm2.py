#!/usr/bin/env python3
"""Makes tests/data/perplexity_smollm2.json: the default model's perplexity on a text, by llama.cpp's chunked method.

    python3 tests/reference/perplexity_smollm2.py llama.cpp    MODEL.gguf wiki.test.raw [CHUNKS]
    python3 tests/reference/perplexity_smollm2.py transformers MODEL.gguf wiki.test.raw

The method: the whole text is tokenized at once (with a BOS in front if the model asks for one; special tokens in the text
are text) and cut into chunks of 512 tokens, the rest left out. Each chunk is evaluated alone; its first token is replaced
by BOS if the model asks for one. The logits at positions 256 to 510 are scored by the negative log likelihood of the
next token, 255 scores a chunk; perplexity is exp of their mean. CHUNKS (64) chunks from the start of the text.

The first command writes the file, with the sum of each chunk's scores in "nll"; the second adds "nll_f32", the same from
transformers in float32 on the dequantized weights (llama.cpp rounds activations to 8 bits). "text" names the text by its
SHA-256, "token_sums" are the sums of each chunk's token ids.
"""
import hashlib
import json
import math
import os
import sys

import numpy

CONTEXT, FIRST = 512, 256
FILE = os.path.join(os.path.dirname(__file__), "..", "data", "perplexity_smollm2.json")


def score(logits, chunk):
    """logits: (512, vocabulary) → sum of the scores of positions 256 to 510."""
    rows = logits[FIRST:CONTEXT - 1].astype(numpy.float64)
    rows -= rows.max(axis=1, keepdims=True)
    picked = rows[numpy.arange(len(rows)), chunk[FIRST + 1:CONTEXT]]
    return float((numpy.log(numpy.exp(rows).sum(axis=1)) - picked).sum())


def tokenize(path, text):
    import llama_cpp

    llama = llama_cpp.Llama(path, vocab_only=True, verbose=False)
    vocabulary = llama._model.vocab
    add_bos = llama_cpp.llama_vocab_get_add_bos(vocabulary)
    tokens = llama.tokenize(text, add_bos=add_bos, special=False)
    return tokens, llama_cpp.llama_vocab_bos(vocabulary) if add_bos else None


def with_llama_cpp(path, text, chunk_count):
    import llama_cpp

    tokens, bos = tokenize(path, text)
    chunks = [tokens[i * CONTEXT:(i + 1) * CONTEXT] for i in range(chunk_count)]
    llama = llama_cpp.Llama(path, n_ctx=CONTEXT, n_batch=CONTEXT, n_threads=2, n_threads_batch=2, logits_all=True,
                            verbose=False)
    sums = []
    for chunk in chunks:
        llama.reset()
        llama.eval(([bos] if bos is not None else chunk[:1]) + chunk[1:])
        sums.append(round(score(llama.scores, chunk), 6))
        report(len(sums), sums)
    return {"llama-cpp-python": llama_cpp.__version__, "context": CONTEXT, "scored_positions": [FIRST, CONTEXT - 2],
            "text": hashlib.sha256(text).hexdigest(), "tokens": len(tokens), "first_tokens": tokens[:16],
            "token_sums": [sum(chunk) for chunk in chunks], "add_bos": bos is not None, "nll": sums,
            "perplexity": math.exp(sum(sums) / (len(sums) * (CONTEXT - 1 - FIRST)))}


def with_transformers(path, text, result):
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    import torch
    import transformers

    folder, name = os.path.split(os.path.abspath(path))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    tokens = tokenizer(text.decode("utf-8"), add_special_tokens=False)["input_ids"]
    sums = []
    for i, expected in enumerate(result["token_sums"]):
        chunk = tokens[i * CONTEXT:(i + 1) * CONTEXT]
        assert sum(chunk) == expected, f"chunk {i}: the two tokenizers disagree"
        with torch.no_grad():
            sums.append(round(score(model(torch.tensor([chunk])).logits[0].numpy(), chunk), 6))
        report(len(sums), sums)
    result.update(transformers=transformers.__version__, nll_f32=sums,
                  perplexity_f32=math.exp(sum(sums) / (len(sums) * (CONTEXT - 1 - FIRST))))


def report(count, sums):
    print(count, "chunks, perplexity", math.exp(sum(sums) / (count * (CONTEXT - 1 - FIRST))), flush=True)


def main():
    engine, path, text_path = sys.argv[1:4]
    with open(text_path, "rb") as file:
        text = file.read()
    if engine == "llama.cpp":
        result = {"made_by": "tests/reference/perplexity_smollm2.py", "model": os.path.basename(path)}
        result.update(with_llama_cpp(path, text, int(sys.argv[4]) if len(sys.argv) > 4 else 64))
    else:
        with open(FILE, encoding="utf-8") as file:
            result = json.load(file)
        with_transformers(path, text, result)
    with open(FILE, "w", encoding="utf-8") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
