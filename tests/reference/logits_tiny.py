#!/usr/bin/env python3
"""Makes tests/data/logits_tiny_llama.json: transformers' float32 logits of tests/data/tiny_llama_f32.gguf and
tiny_llama_mixed.gguf (dequantized by transformers), all 320 of them at each position of one sequence of 20 token ids.

    python3 tests/reference/logits_tiny.py

Needs torch, transformers and gguf.
"""
import json
import os

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
import torch
import transformers

DATA = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "data"))
TOKENS = [1, 40, 77, 310, 5, 263, 299, 3, 120, 319, 0, 288, 41, 42, 43, 200, 201, 77, 40, 2]


def main():
    result = {"made_by": "tests/reference/logits_tiny.py", "transformers": transformers.__version__,
              "torch": torch.__version__, "tokens": TOKENS}
    for name in ("tiny_llama_f32", "tiny_llama_mixed"):
        model = transformers.AutoModelForCausalLM.from_pretrained(DATA, gguf_file=name + ".gguf", dtype=torch.float32)
        with torch.no_grad():
            logits = model.eval()(torch.tensor([TOKENS])).logits[0]
        result[name] = [[round(value, 6) for value in row] for row in logits.tolist()]
        print(name, tuple(logits.shape), "largest", logits.abs().max().item(), model.config.rope_parameters,
              model.config.tie_word_embeddings)
    with open(os.path.join(DATA, "logits_tiny_llama.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
