#!/usr/bin/env python3
"""Writes tests/data/packed/: for each packed layout two rows of bytes and the f32 values that the reference reads in them.

Reference: PyPI `gguf`, gguf.quants (numpy). Files: NAME.packed, NAME.f32 (raw little-endian), and for the layouts that are
packed too, NAME.source.f32, what the reference packed. Bytes of the layouts the reference does not pack are random, with
finite scales.

Q1_0: the reference is ggml itself (PyPI `llama-cpp-python`, its libggml-base), which gguf.quants does not have.

NF4: the reference is the published rule in float64: each group ÷ its greatest magnitude, nearest of the 16 values of QLoRA
(arXiv 2305.14314, appendix E).

    python3 -m venv venv && venv/bin/pip install gguf numpy llama-cpp-python && venv/bin/python tests/reference/make_packed_fixture.py
"""

import ctypes
import importlib.util
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

COLUMNS = 512
OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "packed"
random = np.random.default_rng(20240117)


def source_rows():
    """Rows with ordinary values, a group of zeros, one of equal values, a tie of magnitudes, and tiny ones."""
    rows = random.normal(size=(2, COLUMNS)).astype(np.float32)
    rows[0, 32:64] = 0
    rows[0, 64:96] = 0.75
    rows[0, 96], rows[0, 97] = -5, 5
    rows[1, 128:160] *= 1e-6
    rows[1, 160:192] *= 1000
    return rows


def random_block_rows(kind, half_offsets):
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, size=(2 * COLUMNS // elements, size), dtype=np.uint8)
    for offset in half_offsets:
        scale = (random.normal(size=(len(blocks), 1)) * 0.05).astype(np.float16)
        blocks[:, offset:offset + 2] = scale.view(np.uint8)
    return blocks.reshape(2, -1)


def write(name, packed, values, source=None):
    (OUT / f"{name}.packed").write_bytes(packed.tobytes())
    (OUT / f"{name}.f32").write_bytes(values.astype("<f4").tobytes())
    if source is not None:
        (OUT / f"{name}.source.f32").write_bytes(source.astype("<f4").tobytes())


def nf4():
    table = np.array([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                      -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                      0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
                      0.7229568362236023, 1.0], dtype=np.float32)
    source = source_rows()
    groups = source.reshape(-1, 64)
    scale = np.abs(groups).max(axis=1, keepdims=True)
    ratio = np.divide(groups.astype(np.float64), scale, out=np.zeros(groups.shape), where=scale > 0)
    codes = np.abs(ratio[:, :, None] - table).argmin(axis=2).astype(np.uint8)
    half = scale.astype(np.float16)
    packed = np.concatenate([half.view(np.uint8), codes[:, :32] | codes[:, 32:] << 4], axis=1)
    write("nf4_64", packed, half.astype(np.float32) * table[codes], source)


def q1_0():
    package = pathlib.Path(importlib.util.find_spec("llama_cpp").origin).parent
    ggml = ctypes.CDLL(package / "lib" / "libggml-base.so")
    source = source_rows()
    packed = np.zeros((2, COLUMNS // 128 * 18), dtype=np.uint8)
    values = np.zeros((2, COLUMNS), dtype=np.float32)
    ggml.quantize_row_q1_0_ref(source.ctypes.data_as(ctypes.c_void_p), packed.ctypes.data_as(ctypes.c_void_p),
                               ctypes.c_int64(source.size))
    ggml.dequantize_row_q1_0(packed.ctypes.data_as(ctypes.c_void_p), values.ctypes.data_as(ctypes.c_void_p),
                             ctypes.c_int64(source.size))
    write("q1_0", packed, values, source)


OUT.mkdir(parents=True, exist_ok=True)
for kind in (Type.Q4_0, Type.Q8_0):
    source = source_rows()
    packed = quantize(source, kind)
    write(kind.name.lower(), packed, dequantize(packed, kind), source)
for kind in (Type.Q4_1, Type.Q5_0, Type.Q5_1):
    packed = quantize(source_rows(), kind)
    write(kind.name.lower(), packed, dequantize(packed, kind))
for kind, half_offsets in ((Type.Q2_K, (80, 82)), (Type.Q3_K, (108,)), (Type.Q4_K, (0, 2)), (Type.Q5_K, (0, 2)),
                           (Type.Q6_K, (208,))):
    packed = random_block_rows(kind, half_offsets)
    write(kind.name.lower(), packed, dequantize(packed, kind))
nf4()
for kind, half_offsets in ((Type.IQ4_NL, (0,)), (Type.TQ1_0, (52,)), (Type.TQ2_0, (64,))):
    packed = random_block_rows(kind, half_offsets)
    write(kind.name.lower(), packed, dequantize(packed, kind))
q1_0()
