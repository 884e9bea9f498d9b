"""Tiny random checkpoints and what the reference computes on them: the fixtures of the Models tests.

NAME.golden.h5 holds `/direction` [hidden], a unit vector, and for each sequence S `/sequences/S/` with `tokens`
[tokens], `logits` [tokens, vocabulary], `losses` [tokens - 1] (absent for one token), `greedy` [16]
(EOS does not end it), and in some `edited/zero_resid_post_0_last` and `edited/ablate_direction` (logits),
and `sites/NAME` [tokens, width] (scores and patterns: [heads, tokens, tokens]). A site that an architecture lacks is
absent.
Integers are int32, the rest float32. `tiny-chat.golden.h5` also has `/texts/T/{text, tokens}` and
`/chats/C/{messages.json, text, tokens}`, texts as 1-D uint8.
"""

import json
import tempfile
from pathlib import Path

import h5py
import numpy as np
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

import convert

from . import reference
from .checkpoint import create_contiguous, new_file, put_text, set_text
from .errors import NeighbourError, shown
from .variants import VARIANTS, Variant, random_model, sequences

GREEDY = 16
GAP = 1e-3  # every greedy step must be decided by more than this, or the fixture would test luck
MATERIAL = 1e-3  # an option must change some logit by more than this, or the fixture would not test it
CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a small model.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
TEXTS = (
    "The sea is calm.", " ", "a", "In 1987 there were 42 shells on the beach.", "don't you'll we've",
    "two  spaces\tand a tab\n\nand lines\r\n", "naïve café, 漢字, 🐚🙂", "x=f(y)**2; // 3.14159",
    "<|im_start|>user\nhello<|im_end|>\n", "trailing space ", "UPPER lower MiXeD")


def tokenizer_files() -> dict[str, str]:
    """A byte-level BPE of 300 tokens trained on a few lines, splitting digits, with a ChatML template."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    lines = ["the shell is on the sand and the sea is near the shore", "the sea and the sand are there all the time",
             "you are a small model and the user asks a question", "a system and an assistant and a user",
             "there is an answer in the other shell on the shore"]
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=300, special_tokens=[AddedToken(t, normalized=False, special=True) for t in special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    assert tokenizer.get_vocab_size() == 300
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": special[0], "eos_token": special[2],
              "unk_token": special[0], "pad_token": special[2], "model_max_length": 128,
              "clean_up_tokenization_spaces": False, "chat_template": CHATML}
    return {"tokenizer.json": tokenizer.to_str(pretty=True), "tokenizer_config.json": json.dumps(config, indent=2)}


def make(folder: Path, names: list[str]) -> None:
    """Write every fixture, the checkpoint near tiny-chat and that of an unknown architecture; or only some names'."""
    known = [variant.name for variant in VARIANTS] + ["tiny-near", "nosuch"]
    if strangers := set(names) - set(known):
        raise NeighbourError(f"there is no fixture {shown(min(strangers))}; there are {', '.join(known)}")
    reference.quiet()
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for variant in VARIANTS:
            if variant.name in (names or known):
                _make(variant, folder, Path(temporary) / variant.name)
        if "tiny-near" in (names or known):
            _near(folder, Path(temporary) / "tiny-near")
        if "nosuch" in (names or known):
            _nosuch(folder, Path(temporary) / "nosuch")
    total = sum(path.stat().st_size for path in folder.glob("*.h5"))
    print(f"{folder}: {total / 1e6:.2f} MB in all")


def _save(model: transformers.PreTrainedModel, variant: Variant, source: Path) -> None:
    model.save_pretrained(source)
    (source / "generation_config.json").unlink(missing_ok=True)
    if variant.name == "tiny-chat":
        for name, text in tokenizer_files().items():
            (source / name).write_text(text, "utf-8")


def _make(variant: Variant, folder: Path, source: Path) -> None:
    _save(random_model(variant), variant, source)
    path, golden = folder / f"{variant.name}.h5", folder / f"{variant.name}.golden.h5"
    convert.to_hdf5(source, path, variant.dtype, overwrite=True)
    # What is measured is the stored file, so that f16 and bf16 are rounded once, by the converter.
    stored = source.with_name(f"{variant.name}-stored")
    convert.folder.write_folder(path, stored)
    run = reference.Reference(reference.load(stored))
    golden.unlink(missing_ok=True)
    with new_file(golden) as file:
        set_text(file.attrs, "made_by", f"transformers {transformers.__version__}, torch {torch.__version__}")
        direction = torch.from_numpy(np.random.default_rng(7).standard_normal(run.model.config.hidden_size)).float()
        direction /= direction.norm()
        _put(file, "direction", direction)
        gap = min(_sequence(file, run, variant, index, direction) for index in range(len(sequences(variant))))
        if gap < GAP:
            raise SystemExit(f"{variant.name}: a greedy step is decided by only {gap:.1e}; choose another seed")
        if variant.name == "tiny-chat":
            _texts(file, stored)
    _matters(variant, stored, run)
    print(f"{variant.name}: {path.stat().st_size / 1e3:.0f} + {golden.stat().st_size / 1e3:.0f} kB, "
          f"smallest greedy gap {gap:.3f}")


def _put(group: h5py.Group, name: str, values: torch.Tensor | list[int]) -> None:
    if isinstance(values, torch.Tensor):
        create_contiguous(group, name, values.numpy().astype("<f4"), h5py.h5t.IEEE_F32LE)
    else:
        create_contiguous(group, name, np.array(values, "<i4"), h5py.h5t.STD_I32LE)


def _sequence(file: h5py.File, run: reference.Reference, variant: Variant, index: int,
              direction: torch.Tensor) -> float:
    """One sequence's answers; returns the smallest gap between the top two logits along the greedy continuation."""
    tokens, group = sequences(variant)[index], file.create_group(f"sequences/{index}")
    logits, sites = run.sites(tokens, patterns=index in variant.patterns)
    _agree(variant.name, sites, run)
    _put(group, "tokens", tokens)
    _put(group, "logits", logits)
    if len(tokens) > 1:
        _put(group, "losses", reference.losses(logits, tokens))
    greedy, gaps = run.greedy(tokens, GREEDY)
    _put(group, "greedy", greedy)
    if index in variant.sites + variant.rotated:
        inner = group.create_group("sites")
        for name, value in sites.items():
            if index in variant.sites or "hook_rot_" in name:
                _put(inner, name, value)
    if index in variant.edited:
        edited = group.create_group("edited")
        ablate = reference.projecting_out(direction)
        everywhere = {f"blocks.{layer}.{site}": ablate for layer in range(run.layers)
                      for site in ("hook_attn_out", "hook_mlp_out")}
        _put(edited, "zero_resid_post_0_last", run.logits(tokens, {"blocks.0.hook_resid_post": reference.zero_last}))
        _put(edited, "ablate_direction", run.logits(tokens, everywhere | {"blocks.1.hook_resid_pre": ablate}))
    return min(gaps)


def _agree(name: str, sites: dict[str, torch.Tensor], run: reference.Reference) -> None:
    """What the sites' names promise: the residual stream adds up, and scores give the pattern."""
    def equal(what: str, a: torch.Tensor, b: torch.Tensor) -> None:
        if not torch.allclose(a, b, rtol=1e-5, atol=1e-5):
            raise SystemExit(f"{name}: {what} differs from its parts by {float((a - b).abs().max()):.1e}")

    stream = sites["hook_embed"] + sites.get("hook_pos_embed", 0)
    for layer in range(run.layers):
        site = {key.split(".", 2)[2]: value for key, value in sites.items() if key.startswith(f"blocks.{layer}.")}
        equal(f"layer {layer}'s input", site["hook_resid_pre"], stream)
        stream = stream + site["hook_attn_out"]
        if "hook_resid_mid" in site:
            equal(f"layer {layer}'s middle", site["hook_resid_mid"], stream)
        stream = stream + site["hook_mlp_out"]
        equal(f"layer {layer}'s output", site["hook_resid_post"], stream)
        if "attn.hook_pattern" in site:
            equal(f"layer {layer}'s pattern", site["attn.hook_pattern"], site["attn.hook_attn_scores"].softmax(-1))
            # One head's values weighted by its pattern are its z: the parts of a fused projection are told apart.
            heads = len(site["attn.hook_pattern"])
            z, v = (site[f"attn.hook_{key}"].unflatten(1, (-1, site["attn.hook_z"].shape[1] // heads)).transpose(0, 1)
                    for key in "zv")
            equal(f"layer {layer}'s z", z, site["attn.hook_pattern"] @ v.repeat_interleave(heads // len(v), 0))


def _matters(variant: Variant, stored: Path, run: reference.Reference) -> None:
    """Every option that a variant is there for changes its logits."""
    tokens = sequences(variant)[-1]
    wanted = run.logits(tokens)
    written = json.loads((stored / "config.json").read_text())
    for change in variant.matters:
        config = transformers.AutoConfig.for_model(**(written | change))
        found = reference.Reference(reference.load(stored, config)).logits(tokens)
        if (difference := float((found - wanted).abs().max())) <= MATERIAL:
            raise SystemExit(f"{variant.name}: {change} changes no logit by more than {difference:.1e}")


def _texts(file: h5py.File, source: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    for index, text in enumerate(TEXTS):
        group = file.create_group(f"texts/{index:02}")
        put_text(group, "text", text.encode())
        if ids := tokenizer(text).input_ids:
            _put(group, "tokens", ids)
        assert tokenizer.decode(ids) == text
    user, assistant = {"role": "user", "content": "Where is the shell?"}, {
        "role": "assistant", "content": "On the sand."}
    system = {"role": "system", "content": "You answer in one word."}
    chats = ([user], [system, user], [user, assistant, user], [system, user, assistant, user])
    for index, messages in enumerate(chats):
        group = file.create_group(f"chats/{index}")
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        put_text(group, "messages.json", json.dumps(messages).encode())
        put_text(group, "text", text.encode())
        _put(group, "tokens", tokenizer(text, add_special_tokens=False).input_ids)


def _near(folder: Path, source: Path) -> None:
    """A checkpoint beside tiny-chat, to compare with it: its weights with a tenth of noise, and its tokenizer."""
    convert.folder.write_folder(folder / "tiny-chat.h5", source)
    model = transformers.AutoModelForCausalLM.from_pretrained(source)
    random = np.random.default_rng(3)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.from_numpy(random.standard_normal(weight.shape)).float()
            weight += 0.1 * (weight.std() if weight.dim() == 2 else 1) * noise
    model.save_pretrained(source)
    (source / "generation_config.json").unlink(missing_ok=True)
    convert.to_hdf5(source, folder / "tiny-near.h5", "bf16", overwrite=True)
    print(f"tiny-near: {(folder / 'tiny-near.h5').stat().st_size / 1e3:.0f} kB")


def _nosuch(folder: Path, source: Path) -> None:
    """A checkpoint of an architecture that nobody knows: llama's tensors under another name."""
    variant = Variant("nosuch", dict(hidden_size=16, num_attention_heads=2, num_key_value_heads=2, num_hidden_layers=1))
    _save(random_model(variant), variant, source)
    config = json.loads((source / "config.json").read_text())
    config |= {"model_type": "nosuch", "architectures": ["NosuchForCausalLM"]}
    (source / "config.json").write_text(json.dumps(config, indent=2))
    convert.to_hdf5(source, folder / "nosuch.h5", "bf16", overwrite=True)
    print(f"nosuch: {(folder / 'nosuch.h5').stat().st_size / 1e3:.0f} kB")
