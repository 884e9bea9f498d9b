"""Element types of a checkpoint: f32, f16 and bf16, as raw little-endian words.

numpy has no bfloat16, so bf16 tensors travel as uint16 words and are never rounded on the way.
"""

import numpy as np

from .errors import NeighbourError, shown

KINDS = ("f32", "f16", "bf16")
WORD = {"f32": np.dtype("<f4"), "f16": np.dtype("<f2"), "bf16": np.dtype("<u2")}
SAFETENSORS = {"F32": "f32", "F16": "f16", "BF16": "bf16"}
TO_SAFETENSORS = {kind: name for name, kind in SAFETENSORS.items()}
TORCH = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}


def to_f32(words: np.ndarray, kind: str) -> np.ndarray:
    """Widen to float32, exactly."""
    if kind == "bf16":
        return (words.astype(np.uint32) << 16).view(np.float32)
    return words.astype(np.float32, copy=False)


def from_f32(values: np.ndarray, kind: str, name: str) -> np.ndarray:
    """Round float32 to nearest even. A finite value that would become infinite is an error that names the tensor."""
    if kind == "f32":
        return values.astype("<f4", copy=False)
    if kind == "f16":
        with np.errstate(over="ignore"):
            words = values.astype("<f2")
        infinite = np.isinf(words)
    else:
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        rounded = ((bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) >> 16).astype("<u2")
        # A NaN's payload could carry into the exponent's end: keep its top bits and make it quiet.
        nan = ((bits >> 16) | 0x40).astype("<u2")
        words = np.where(np.isnan(values), nan, rounded).astype("<u2", copy=False)
        infinite = (words & 0x7FFF) == 0x7F80
    if (infinite & np.isfinite(values)).any():
        count = int((infinite & np.isfinite(values)).sum())
        raise NeighbourError(
            f"tensor {shown(name)} has {count} values too large for {kind}; choose another --dtype")
    return words


def cast(words: np.ndarray, kind: str, target: str, name: str) -> np.ndarray:
    """Words of `kind` as words of `target`; the same array when nothing changes."""
    return words if kind == target else from_f32(to_f32(words, kind), target, name)
