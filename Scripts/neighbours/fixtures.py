"""Tiny random llama checkpoints and what the reference computes on them: the fixtures of the Models tests.

NAME.golden.h5 holds `/direction` [hidden], a unit vector, and for each sequence S `/sequences/S/` with `tokens`
[tokens], `logits` [tokens, vocabulary], `losses` [tokens - 1] (absent for one token), `greedy` [16]
(EOS does not end it), `edited/zero_resid_post_0_last` and `edited/ablate_direction` (logits),
and in some `sites/NAME` [tokens, width].
Integers are int32, the rest float32. `tiny-chat.golden.h5` also has `/texts/T/{text, tokens}` and
`/chats/C/{messages.json, text, tokens}`, texts as 1-D uint8.
"""

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

import convert

from . import reference
from .checkpoint import create_contiguous, new_file, put_text, set_text

LENGTHS = (1, 2, 7, 40)
GREEDY = 16
GAP = 1e-3  # every greedy step must be decided by more than this, or the fixture would test luck
CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a small model.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
TEXTS = (
    "The sea is calm.", " ", "a", "In 1987 there were 42 shells on the beach.", "don't you'll we've",
    "two  spaces\tand a tab\n\nand lines\r\n", "naïve café, 漢字, 🐚🙂", "x=f(y)**2; // 3.14159",
    "<|im_start|>user\nhello<|im_end|>\n", "trailing space ", "UPPER lower MiXeD")


class Variant(NamedTuple):
    """One checkpoint: its configuration, how it is stored, and which sequences get sites."""

    name: str
    config: dict
    dtype: str = "keep"
    sites: tuple[int, ...] = (0, 1, 2)
    vocabulary: int = 131
    seed: int = 0


VARIANTS = (
    Variant("mha", dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=4), sites=(0, 1, 2, 3)),
    Variant("gqa-tied", dict(hidden_size=48, num_attention_heads=6, num_key_value_heads=3, num_hidden_layers=3,
                             tie_word_embeddings=True,
                             rope_parameters={"rope_type": "default", "rope_theta": 100000.0}), vocabulary=257),
    Variant("mqa-bf16", dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=1, head_dim=16,
                             tie_word_embeddings=True), dtype="bf16"),
    Variant("bias-f16", dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=2, attention_bias=True,
                             mlp_bias=True, rms_norm_eps=1e-6), dtype="f16", sites=(2,)),
    Variant("rope-llama3", dict(hidden_size=32, num_attention_heads=2, num_key_value_heads=1, rope_parameters={
        "rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16}), sites=(3,)),
    Variant("tiny-chat", dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=4), vocabulary=300,
            sites=(2,)),
)


def random_model(variant: Variant) -> transformers.LlamaForCausalLM:
    """A seeded model whose every parameter, norms and biases too, matters to the output."""
    torch.manual_seed(variant.seed + 1)
    settings = dict(vocab_size=variant.vocabulary, intermediate_size=64, num_hidden_layers=2, rms_norm_eps=1e-5,
                    max_position_embeddings=128, bos_token_id=0, eos_token_id=2, pad_token_id=2)
    config = transformers.LlamaConfig(**(settings | variant.config))
    model = transformers.LlamaForCausalLM._from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name:
                value.copy_(1 + 0.2 * torch.randn_like(value))
            elif name.endswith("bias"):
                value.copy_(0.2 * torch.randn_like(value))
            elif "embed" in name:
                value.copy_(0.7 * torch.randn_like(value))
            else:
                value.copy_(torch.randn_like(value) * 1.4 / value.shape[1] ** 0.5)
    return model


def sequences(variant: Variant) -> list[list[int]]:
    """Four token sequences of 1, 2, 7 and 40 ids; the third repeats tokens."""
    random = np.random.default_rng(variant.seed + 2)
    out = [random.integers(3, variant.vocabulary, length).tolist() for length in LENGTHS]
    out[2] = [out[2][0], out[2][1], out[2][0], out[2][1], out[2][0], out[2][0], out[2][0]]
    return out


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


def make(folder: Path) -> None:
    """Write every fixture, and the checkpoint of an unknown architecture."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for variant in VARIANTS:
            _make(variant, folder, Path(temporary) / variant.name)
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
        gap = min(_sequence(file.create_group(f"sequences/{index}"), run, tokens, direction, index in variant.sites)
                  for index, tokens in enumerate(sequences(variant)))
        if gap < GAP:
            raise SystemExit(f"{variant.name}: a greedy step is decided by only {gap:.1e}; choose another seed")
        if variant.name == "tiny-chat":
            _texts(file, stored)
    print(f"{variant.name}: {path.stat().st_size / 1e3:.0f} + {golden.stat().st_size / 1e3:.0f} kB, "
          f"smallest greedy gap {gap:.3f}")


def _put(group: h5py.Group, name: str, values: torch.Tensor | list[int]) -> None:
    if isinstance(values, torch.Tensor):
        create_contiguous(group, name, values.numpy().astype("<f4"), h5py.h5t.IEEE_F32LE)
    else:
        create_contiguous(group, name, np.array(values, "<i4"), h5py.h5t.STD_I32LE)


def _sequence(group: h5py.Group, run: reference.Reference, tokens: list[int], direction: torch.Tensor,
              with_sites: bool) -> float:
    """One sequence's answers; returns the smallest gap between the top two logits along the greedy continuation."""
    logits, sites = run.sites(tokens)
    _put(group, "tokens", tokens)
    _put(group, "logits", logits)
    if len(tokens) > 1:
        _put(group, "losses", reference.losses(logits, tokens))
    greedy, gaps = run.greedy(tokens, GREEDY)
    _put(group, "greedy", greedy)
    if with_sites:
        inner = group.create_group("sites")
        for name, value in sites.items():
            _put(inner, name, value)
    edited = group.create_group("edited")
    ablate = reference.projecting_out(direction)
    everywhere = {f"blocks.{layer}.{site}": ablate for layer in range(run.layers)
                  for site in ("hook_attn_out", "hook_mlp_out")}
    _put(edited, "zero_resid_post_0_last", run.logits(tokens, {"blocks.0.hook_resid_post": reference.zero_last}))
    _put(edited, "ablate_direction", run.logits(tokens, everywhere | {"blocks.1.hook_resid_pre": ablate}))
    return min(gaps)


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


def _nosuch(folder: Path, source: Path) -> None:
    """A checkpoint of an architecture that nobody knows: llama's tensors under another name."""
    variant = Variant("nosuch", dict(hidden_size=16, num_attention_heads=2, num_key_value_heads=2, num_hidden_layers=1))
    _save(random_model(variant), variant, source)
    config = json.loads((source / "config.json").read_text())
    config |= {"model_type": "nosuch", "architectures": ["NosuchForCausalLM"]}
    (source / "config.json").write_text(json.dumps(config, indent=2))
    convert.to_hdf5(source, folder / "nosuch.h5", "bf16", overwrite=True)
    print(f"nosuch: {(folder / 'nosuch.h5').stat().st_size / 1e3:.0f} kB")
