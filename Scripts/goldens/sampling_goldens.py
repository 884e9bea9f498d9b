#!/usr/bin/env python3
"""Makes what sampling is tested against, with `transformers` (Scripts/requirements-reference.txt).

    sampling_goldens.py            Tests/Fixtures/sampling/filters.json and continuations.json

filters.json: for each case the logits' recipe, the settings, and what is left of the vocabulary after the logits
processors that `transformers` itself puts together for them: how many tokens, a CRC-32 of their ids (int32,
little-endian, ascending), and ids and probabilities of the likeliest. Logits are made from SplitMix64 in float32
arithmetic that is exact or rounded once a step, so that any language makes the same ones: see `logits`.

continuations.json: greedy continuations by `generate` with a repetition penalty, on tiny-chat.h5.
"""

import json
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import convert  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "Tests/Fixtures/sampling"
SHOWN = 24
MARGIN = 2e-7  # no case may be decided by a rounding error

CASES = [
    dict(vocabulary=300, seed=1),
    dict(vocabulary=300, seed=1, temperature=0.7),
    dict(vocabulary=300, seed=2, temperature=1.5, top_k=40),
    dict(vocabulary=300, seed=2, top_k=1),
    dict(vocabulary=300, seed=2, top_k=1000),
    dict(vocabulary=300, seed=3, top_p=0.9),
    dict(vocabulary=300, seed=3, top_p=0.01),
    dict(vocabulary=300, seed=3, top_p=1.0),
    dict(vocabulary=300, seed=4, min_p=0.05),
    dict(vocabulary=300, seed=4, min_p=1.0),
    dict(vocabulary=300, seed=4, min_p=0.0),
    dict(vocabulary=300, seed=5, temperature=0.8, top_k=50, top_p=0.95, min_p=0.02),
    dict(vocabulary=300, seed=6, repetition_penalty=1.3, context=[5, 7, 7, 0, 299, 120, 121, 122, 123]),
    dict(vocabulary=300, seed=6, repetition_penalty=0.8, temperature=1.2, top_p=0.8, context=list(range(0, 300, 3))),
    dict(vocabulary=300, seed=7, grid=2, top_k=10),  # equal scores at the edge are all kept
    dict(vocabulary=300, seed=8, grid=4, top_k=25, min_p=0.1),
    dict(vocabulary=49152, seed=9, top_p=0.9),
    dict(vocabulary=49152, seed=9, temperature=0.05, top_p=0.9),
    dict(vocabulary=49152, seed=10, temperature=0.6, top_p=0.5, scale=4),
    dict(vocabulary=49152, seed=11, top_k=50),
    dict(vocabulary=49152, seed=11, temperature=0.02, top_k=5000),
    dict(vocabulary=49152, seed=12, min_p=0.001),
    dict(vocabulary=49152, seed=13, scale=1, top_p=0.3),
    dict(vocabulary=256000, seed=14, top_p=0.95),
    dict(vocabulary=256000, seed=15, temperature=0.9, top_k=200, top_p=0.7, min_p=0.01, repetition_penalty=1.1,
         context=list(range(1000, 256000, 1999))),
]
PENALTIES = [1.05, 1.3, 2.0]


def logits(vocabulary: int, seed: int, scale: float = 8, grid: int = 0) -> np.ndarray:
    """Sums of four uniform numbers, centred, times `scale`; rounded down to multiples of 1/grid if asked."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 4 * vocabulary + 1, dtype=np.uint64)
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    uniform = ((z >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)).reshape(vocabulary, 4)
    total = (uniform[:, 0] + uniform[:, 1]) + (uniform[:, 2] + uniform[:, 3])
    values = (total - np.float32(2)) * np.float32(scale)
    return np.floor(values * np.float32(grid)) / np.float32(grid) if grid else values


def check_margin(scores: torch.Tensor, kept: torch.Tensor, top_p: float) -> None:
    """That the edge of top-p is decided by more than rounding and does not part equal scores."""
    order = torch.sort(scores.double(), stable=True)
    sums = order.values.softmax(-1).cumsum(-1)
    gap = (sums - (1 - top_p)).abs().min()
    assert gap > MARGIN, f"the edge is {gap:.1e} away: choose another seed"
    assert scores[kept].min() > scores[~kept].max(), "the edge parts equal scores: choose another seed"


def answer(model: transformers.PreTrainedModel, case: dict) -> dict:
    settings = {key: case[key] for key in ("temperature", "top_k", "top_p", "min_p", "repetition_penalty") if key in case}
    config = transformers.GenerationConfig(do_sample=True, **({"top_k": 0} | settings))
    context = torch.tensor([case.get("context", [0])])
    processors = model._get_logits_processor(
        generation_config=config, input_ids_seq_length=context.shape[1], encoder_input_ids=context,
        prefix_allowed_tokens_fn=None, logits_processor=transformers.LogitsProcessorList(), device="cpu")
    values = logits(case["vocabulary"], case["seed"], case.get("scale", 8), case.get("grid", 0))
    scores = processors(context, torch.from_numpy(values)[None].clone())[0]
    kept = torch.isfinite(scores)
    if case.get("top_p", 1.0) < 1:
        before = transformers.LogitsProcessorList(
            p for p in processors if not isinstance(p, (transformers.TopPLogitsWarper, transformers.MinPLogitsWarper)))
        middle = before(context, torch.from_numpy(values)[None].clone())[0]
        after = transformers.TopPLogitsWarper(case["top_p"])(context, middle[None])[0]
        check_margin(middle[torch.isfinite(middle)], torch.isfinite(after)[torch.isfinite(middle)], case["top_p"])
    ids = kept.nonzero()[:, 0].numpy().astype("<i4")
    probabilities = scores.softmax(-1)
    likeliest = torch.argsort(scores, descending=True, stable=True)[: min(SHOWN, len(ids))]
    return case | dict(
        processors=[type(p).__name__ for p in processors], kept=len(ids), crc=zlib.crc32(ids.tobytes()),
        ids=likeliest.tolist(), probabilities=[float(p) for p in probabilities[likeliest]])


def continuations(folder: Path) -> list[dict]:
    convert.main(["to-folder", str(ROOT / "Tests/Fixtures/models/tiny-chat.h5"), str(folder)])
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()
    rows = []
    for penalty in PENALTIES:
        prompt = [3, 40, 41, 40, 200, 7]
        out = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=False,
            repetition_penalty=penalty, max_new_tokens=32, min_new_tokens=32, pad_token_id=2, eos_token_id=None)
        rows.append(dict(prompt=prompt, repetition_penalty=penalty, ids=out[0, len(prompt):].tolist()))
    return rows


def main() -> None:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1))
    made_by = f"transformers {transformers.__version__}, torch {torch.__version__}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases = [answer(model, case) for case in CASES]
    with tempfile.TemporaryDirectory() as temporary:
        rows = continuations(Path(temporary) / "model")
    for name, key, values in (("filters", "cases", cases), ("continuations", "continuations", rows)):
        lines = ",\n".join(json.dumps(value) for value in values)
        (FOLDER / f"{name}.json").write_text(f'{{"made_by": {json.dumps(made_by)}, "{key}": [\n{lines}\n]}}\n')
        print(f"{name}.json: {len(values)}")


if __name__ == "__main__":
    main()
