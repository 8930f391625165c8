#!/usr/bin/env python3
"""Makes tests/data/logits_smollm2.json and logits_smollm2_last.f32: what transformers computes in float32 on the CPU from
the default model's own weights (the GGUF, dequantized by transformers).

    python3 tests/reference/logits_smollm2.py models/smollm2-135m-instruct-q4_1.gguf

Needs torch, transformers and gguf. For each of two prompts, the JSON has the token ids, and for every position the 20
largest logits [token, logit] in falling order and the logits of 64 fixed tokens. The .f32 file is all logits of the first
prompt's last position, little-endian. How much float32 itself can matter is recorded too: the largest difference to the
same computation in float64.
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
import torch
import transformers

PROMPTS = [
    "The lighthouse keeper wrote in his journal every night: the wind, the ships that passed, and the hour at which "
    "the lamp was lit. On the 14th of March 1887 he wrote only one word:",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
]
TOP = 20
FIXED = [768 * i + 7 for i in range(64)]


def main():
    path = os.path.abspath(sys.argv[1])
    folder, name = os.path.split(path)
    data = os.path.join(os.path.dirname(__file__), "..", "data")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    model.eval()
    all_ids = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in PROMPTS]
    with torch.no_grad():
        logits = [model(torch.tensor([ids])).logits[0] for ids in all_ids]
        model.double()
        wide = [model(torch.tensor([ids])).logits[0] for ids in all_ids]
    difference = max((a.double() - b).abs().max().item() for a, b in zip(logits, wide))
    prompts = []
    for text, ids, rows in zip(PROMPTS, all_ids, logits):
        positions = []
        for row in rows:
            values, tokens = row.topk(TOP)
            positions.append({"top": [[t, round(v, 5)] for t, v in zip(tokens.tolist(), values.tolist())],
                              "fixed": [round(v, 5) for v in row[FIXED].tolist()]})
        prompts.append({"text": text, "tokens": ids, "positions": positions})
    with open(os.path.join(data, "logits_smollm2.json"), "w", encoding="utf-8") as file:
        json.dump({"made_by": "tests/reference/logits_smollm2.py", "transformers": transformers.__version__,
                   "torch": torch.__version__, "model": name, "float32_to_float64": difference,
                   "fixed_tokens": FIXED, "prompts": prompts}, file, separators=(",", ":"))
        file.write("\n")
    logits[0][-1].numpy().astype("<f4").tofile(os.path.join(data, "logits_smollm2_last.f32"))
    print("tokens:", [len(ids) for ids in all_ids], "vocabulary:", logits[0].shape[1],
          "float32 to float64:", difference)


if __name__ == "__main__":
    main()
