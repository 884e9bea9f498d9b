"""nacre beside `transformers`: logits, sites, greedy continuations and token ids on the same texts.

Each check returns markdown lines and whether its bars were met.
"""

import copy
import re
import tempfile
from pathlib import Path
from typing import Iterator

import torch
import transformers

from .measured import Capture, Itself, Nacre
from .errors import NeighbourError
from .reference import Reference

SITES_BAR = 1e-4  # largest relative difference of a row, in the 2-norm
SLICE = 400  # tokens in a capture file, unless one text is longer
GREEDY = 64

Result = tuple[list[str], bool]


class Comparison:
    """One checkpoint's reference and what is measured against it."""

    def __init__(self, run: Reference, tokenizer: transformers.PreTrainedTokenizerBase, measured: Nacre | Itself,
                 texts: list[str], logits_bar: float):
        self.run, self.measured, self.texts = run, measured, texts
        self.logits_bar = logits_bar  # largest absolute difference
        self.decided = 2 * logits_bar  # a reference's top two closer than this may swap within the bar
        self.ids = [tokenizer(text).input_ids for text in texts]
        config = run.model.config
        eos = config.eos_token_id
        self.stop = set(eos if isinstance(eos, list) else [] if eos is None else [eos])

    def tokens(self) -> Result:
        """Token ids, which must be equal."""
        found = self.measured.tokens(self.texts)
        same = [a == b for a, b in zip(found, self.ids, strict=True)]
        lines = ["| texts | tokens | identical |", "|---:|---:|---:|",
                 f"| {len(same)} | {sum(map(len, self.ids))} | {sum(same)} |"]
        for index in (i for i, equal in enumerate(same) if not equal):
            at = next((n for n, (a, b) in enumerate(zip(found[index], self.ids[index])) if a != b),
                      min(len(found[index]), len(self.ids[index])))
            lines.append(f"\ntext {index + 1}, token {at}: {found[index][at:at + 4]}, "
                         f"reference {self.ids[index][at:at + 4]}")
        return lines, all(same)

    def logits(self) -> Result:
        """Logits at every position, and whether the most likely token is the same where that is decided."""
        lines = ["| text | tokens | max abs | mean abs | top-1 agreement | undecided |",
                 "|---:|---:|---:|---:|---:|---:|"]
        worst = total = 0.0
        count = agreed = decided = rows = 0
        for index, ids, capture, found in self._captures(["logits"]):
            wanted = self.run.logits(ids)
            values = capture.site(self._only(capture, "logits"), found)
            self._shapes("logits", values, wanted)
            gap = (values - wanted).abs()
            difference = not_finite(gap.max())
            first = wanted.topk(2)
            clear = first.values[:, 0] - first.values[:, 1] > self.decided
            sure = int(clear.sum())
            agree = int((values.argmax(1) == first.indices[:, 0])[clear].sum())
            lines.append(f"| {index + 1} | {len(ids)} | {difference:.2e} | {float(gap.mean()):.2e} | {agree}/{sure} "
                         f"| {len(ids) - sure} |")
            worst, total, count = max(worst, difference), total + float(gap.double().sum()), count + gap.numel()
            agreed, decided, rows = agreed + agree, decided + sure, rows + len(ids)
        met = worst <= self.logits_bar and agreed == decided
        lines.append(f"| all | {rows} | {worst:.2e} | {total / count:.2e} | {agreed}/{decided} | {rows - decided} |")
        return lines + [f"\nBar: max abs <= {self.logits_bar:g}: {'met' if met else 'MISSED'}"], met

    def bf16(self) -> Result:
        """How far products in bf16 carry logits from the reference, beside `transformers` run in bf16 throughout."""
        rounded = copy.deepcopy(self.run.model).to(torch.bfloat16)
        lines = ["| | max abs | mean abs | KL from the reference, nats | top-1 agreement |", "|---|---:|---:|---:|---:|"]
        for name in ("nacre, bf16 products", "transformers, bf16"):
            worst = total = divergence = 0.0
            count = agreed = rows = 0
            for _, ids, capture, found in self._captures(["logits"], precision="bf16"):
                wanted = self.run.logits(ids)
                if name.startswith("nacre"):
                    values = capture.site(self._only(capture, "logits"), found)
                else:
                    with torch.no_grad():
                        values = rounded(torch.tensor([ids]), use_cache=False).logits[0].float()
                self._shapes("logits", values, wanted)
                gap = (values - wanted).abs()
                exact = wanted.log_softmax(1)
                divergence += float((exact.exp() * (exact - values.log_softmax(1))).sum())
                worst, total, count = max(worst, not_finite(gap.max())), total + float(gap.double().sum()), count + gap.numel()
                agreed, rows = agreed + int((values.argmax(1) == wanted.argmax(1)).sum()), rows + len(ids)
            lines.append(f"| {name} | {worst:.3f} | {total / count:.4f} | {divergence / rows:.2e} | {agreed}/{rows} |")
        return lines + ["\nNo bar: bf16 has 8 bits; what it costs is shown."], True

    def sites(self) -> Result:
        """Every site of every layer: the largest relative difference of a row."""
        worst: dict[str, tuple[float, float, str, int]] = {}
        kinds = self.run.kinds()
        for index, ids, capture, found in self._captures(kinds):
            _, recorded = self.run.sites(ids)
            missing = recorded.keys() - set(capture.names)
            if missing:
                raise NeighbourError(f"the capture lacks {len(missing)} sites, {min(missing)} among them")
            for name, wanted in recorded.items():
                values = capture.site(name, found)
                self._shapes(name, values, wanted)
                difference = values - wanted
                relative = (difference.norm(dim=1) / wanted.norm(dim=1).clamp_min(1e-30)).max()
                kind = re.sub(r"blocks\.\d+\.", "blocks.*.", name)
                entry = (not_finite(relative), not_finite(difference.abs().max()), name, index + 1)
                worst[kind] = max(worst.get(kind, entry), entry)
        lines = ["| site | max relative error of a row | max abs there | where | text |", "|---|---:|---:|---|---:|"]
        lines += [f"| {kind} | {worst[kind][0]:.2e} | {worst[kind][1]:.2e} | {worst[kind][2]} | {worst[kind][3]} |"
                  for kind in sorted(worst, key=kinds.index)]
        met = max(entry[0] for entry in worst.values()) <= SITES_BAR
        return lines + [f"\nBar: relative error of a row <= {SITES_BAR:g}: {'met' if met else 'MISSED'}"], met

    def greedy(self) -> Result:
        """Greedy continuations; one may diverge only where the reference itself is undecided."""
        found = self.measured.greedy(self.texts, GREEDY)
        identical, met, lines = 0, True, []
        for index, (ids, continuation) in enumerate(zip(self.ids, found, strict=True)):
            wanted, gaps = self.run.greedy(ids, GREEDY, self.stop)
            # A continuation may be given with its end-of-text token or without.
            bare = [[t for t in side if t not in self.stop] for side in (continuation, wanted)]
            if bare[0] == bare[1]:
                identical += 1
                continue
            at = next((n for n, (a, b) in enumerate(zip(continuation, wanted)) if a != b),
                      min(len(continuation), len(wanted)))
            gap = gaps[min(at, len(gaps) - 1)]
            met = met and gap <= self.decided
            lines.append(f"\ntext {index + 1} diverges at token {at} of {len(wanted)}, where the reference's top two "
                         f"differ by {gap:.1e}")
        table = ["| texts | tokens each | identical |", "|---:|---:|---:|",
                 f"| {len(found)} | {GREEDY} | {identical} |"]
        return table + lines + [
            f"\nBar: a divergence only where the top two differ by <= {self.decided:g}: {'met' if met else 'MISSED'}"], met

    def _captures(self, sites: list[str], precision: str = "f32") -> Iterator[tuple[int, list[int], Capture, object]]:
        """Captures slice by slice; yields each text's index, ids, the capture and its rows there."""
        with tempfile.TemporaryDirectory(prefix="nacre-parity-") as folder:
            start = 0
            while start < len(self.texts):
                end, size = start + 1, len(self.ids[start])
                while end < len(self.texts) and size + len(self.ids[end]) <= SLICE:
                    size += len(self.ids[end])
                    end += 1
                path = self.measured.capture(sites, self.texts[start:end], Path(folder), precision)
                with Capture(path) as capture:
                    for index in range(start, end):
                        rows = capture.rows(index - start)
                        if capture.token[rows].tolist() != self.ids[index]:
                            raise NeighbourError(
                                f"text {index + 1} was captured with other tokens; see: parity.py tokens")
                        yield index, self.ids[index], capture, rows
                start = end

    @staticmethod
    def _only(capture: Capture, name: str) -> str:
        if name not in capture.names:
            raise NeighbourError(f"the capture has no site {name}")
        return name

    @staticmethod
    def _shapes(name: str, values: torch.Tensor, wanted: torch.Tensor) -> None:
        if values.shape != wanted.shape:
            raise NeighbourError(f"{name} has shape {tuple(values.shape)}, the reference {tuple(wanted.shape)}")


def not_finite(value: torch.Tensor) -> float:
    """A difference as a number; NaN, which compares with nothing, as infinity."""
    return float(value) if torch.isfinite(value) else float("inf")
