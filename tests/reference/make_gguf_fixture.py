#!/usr/bin/env python3
"""Writes tests/data/tiny_llama_f32.gguf and tests/data/tiny_llama_mixed.gguf with PyPI `gguf`: a Llama of random weights, 2
layers, width 32, 4 heads, 2 key/value heads, feed-forward 96, vocabulary 320, with a byte-level BPE tokenizer and a chat
template. And tests/fuzz/gguf/seed.gguf, the same with everything as small as it can be.

f32: every tensor F32, output tied to the embedding, GGUF 3. mixed: Q8_0 embedding, F16 output of its own, a different mixture of
Q4_0, Q4_1, Q8_0, F16 and BF16 in each layer.

    python3 -m venv venv && venv/bin/pip install gguf numpy && venv/bin/python tests/reference/make_gguf_fixture.py
"""

import collections
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

LAYERS, WIDTH, HEADS, KV_HEADS, FFN, VOCAB = 2, 32, 4, 2, 96, 320
KV_WIDTH = WIDTH // HEADS * KV_HEADS
OUT = pathlib.Path(__file__).resolve().parent.parent / "data"
TEMPLATE = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
            "'\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
SAMPLE = """the weights of the model are arrays and the model is a page of the language that was made for arrays. in the
beginning there was the word and the word was an array of characters; and then there were ten thousand words, and they
were the weights of other words that attend to one another in the order of their positions."""


def byte_characters():
    """GPT-2's bijection from bytes to printable characters."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {byte: chr(byte) for byte in printable}
    table.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return table


def tokenizer():
    """Tokens, types and merges: three control tokens, 256 bytes, and the most frequent pairs of SAMPLE."""
    table = byte_characters()
    words = collections.Counter(
        tuple(table[byte] for byte in (" " + word).encode()) for word in SAMPLE.split())
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *(table[byte] for byte in range(256))]
    types = [gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * (VOCAB - 3)
    merges = []
    while len(tokens) < VOCAB:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(f"{left} {right}")
        tokens.append(left + right)
        merged = collections.Counter()
        for word, count in words.items():
            result, i = [], 0
            while i < len(word):
                if word[i:i + 2] == (left, right):
                    result.append(left + right)
                    i += 2
                else:
                    result.append(word[i])
                    i += 1
            merged[tuple(result)] += count
        words = merged
    return tokens, types, merges


def write(name, type_of, own_output):
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(OUT / name, "llama")
    writer.add_name("tiny llama")
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    tokens, types, merges = tokenizer()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)

    def add(tensor, shape, scale, offset=0.0):
        values = (random.normal(size=shape) * scale + offset).astype(np.float32)
        kind = type_of(tensor) if len(shape) == 2 else Type.F32
        if kind == Type.F32:
            writer.add_tensor(tensor, values)
        elif kind == Type.F16:
            writer.add_tensor(tensor, values.astype(np.float16))
        else:
            writer.add_tensor(tensor, gguf.quants.quantize(values, kind), raw_dtype=kind)

    add("token_embd.weight", (VOCAB, WIDTH), 1.0)
    for layer in range(LAYERS):
        add(f"blk.{layer}.attn_norm.weight", (WIDTH,), 0.1, 1.0)
        add(f"blk.{layer}.attn_q.weight", (WIDTH, WIDTH), 0.3)
        add(f"blk.{layer}.attn_k.weight", (KV_WIDTH, WIDTH), 0.3)
        add(f"blk.{layer}.attn_v.weight", (KV_WIDTH, WIDTH), 0.2)
        add(f"blk.{layer}.attn_output.weight", (WIDTH, WIDTH), 0.2)
        add(f"blk.{layer}.ffn_norm.weight", (WIDTH,), 0.1, 1.0)
        add(f"blk.{layer}.ffn_gate.weight", (FFN, WIDTH), 0.2)
        add(f"blk.{layer}.ffn_up.weight", (FFN, WIDTH), 0.2)
        add(f"blk.{layer}.ffn_down.weight", (WIDTH, FFN), 0.1)
    add("output_norm.weight", (WIDTH,), 0.1, 1.0)
    if own_output:
        add("output.weight", (VOCAB, WIDTH), 0.3)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def mixed_type(tensor):
    fixed = {"token_embd.weight": Type.Q8_0, "output.weight": Type.F16, "blk.0.attn_v.weight": Type.F16,
             "blk.1.attn_v.weight": Type.Q8_0, "blk.1.attn_q.weight": Type.F32, "blk.0.ffn_down.weight": Type.Q4_1,
             "blk.1.ffn_down.weight": Type.BF16}
    return fixed.get(tensor, Type.Q4_0)


def write_seed():
    """1 layer, width 4, 2 heads, 1 key/value head, feed-forward 6, vocabulary 5; unlike the others, aligned to 8."""
    path = OUT.parent / "fuzz" / "gguf" / "seed.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_custom_alignment(8)
    writer.add_context_length(16)
    writer.add_embedding_length(4)
    writer.add_block_count(1)
    writer.add_feed_forward_length(6)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(2.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["<s>", "</s>", "a", "b", "ab"])
    writer.add_token_types([3, 3, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    shapes = {"token_embd": (5, 4), "output_norm": (4,), "blk.0.attn_norm": (4,), "blk.0.ffn_norm": (4,),
              "blk.0.attn_q": (4, 4), "blk.0.attn_k": (2, 4), "blk.0.attn_v": (2, 4), "blk.0.attn_output": (4, 4),
              "blk.0.ffn_gate": (6, 4), "blk.0.ffn_up": (6, 4), "blk.0.ffn_down": (4, 6), "rope_freqs": (1,)}
    for tensor, shape in shapes.items():
        dtype = np.float16 if tensor.endswith("ffn_up") else np.float32
        writer.add_tensor(tensor + ".weight", np.ones(shape, dtype=dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


write_seed()
write("tiny_llama_f32.gguf", lambda tensor: Type.F32, own_output=False)
write("tiny_llama_mixed.gguf", mixed_type, own_output=True)
