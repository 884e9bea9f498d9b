"""Makes what whole tokenizer pipelines are tested against, with the reference library (PyPI `tokenizers` 0.23.3).

    tokenizer_pipelines.py train      Tests/Fixtures/tokenizers/NAME.model.json, the models that pipelines share
    tokenizer_pipelines.py hashes     pipelines.json: one pipeline of every kind on all lines of lines.json, and
                                      random mixtures of all components on some
    tokenizer_pipelines.py checkpoint Tests/Fixtures/models/tiny-words.h5: random weights with a small tokenizer of
                                      Llama 2's kind and its chat template
    tokenizer_pipelines.py write NAME FILE
                                      a kind's whole tokenizer.json, as benchmarks/tokenizer_bench.py and people need it

A pipeline's hashes belong to blocks of lines and have two CRC-32 in hexadecimal: that of the token ids, and that of
what they decode to, and of their offsets where the library is right about them (see `hashes`).
"""

import json
import random
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import checkpoint  # noqa: E402
from neighbours.checkpoint import Tensor  # noqa: E402
from tokenizer_goldens import FIXTURES, ROOT, GPT2, LLAMA3, QWEN2, make_lines, utf8_offsets  # noqa: E402

LOWER, UPPER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
ENDING = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEKKEN = rf"{UPPER}*{LOWER}+|{UPPER}+{LOWER}*|\p{{N}}" + ENDING
FOLDED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
GPT4O = rf"{UPPER}*{LOWER}+{FOLDED}|{UPPER}+{LOWER}*{FOLDED}|\p{{N}}{{1,3}}" + ENDING

SPECIAL = ["<unk>", "<s>", "</s>"]
BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]


# Models


def train():
    corpus = make_lines(7, 20_000)

    def save(name, tokenizer, trainer, lines):
        tokenizer.train_from_iterator(lines, trainer)
        model = json.loads(tokenizer.to_str())["model"]
        model["merges"] = [" ".join(pair) for pair in model["merges"]]
        text = json.dumps(model, ensure_ascii=False, separators=(",", ":"))
        (FIXTURES / f"{name}.model.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        print(name, len(model["vocab"]), "tokens", len(text.encode()) // 1000, "kB")

    # Byte-level.
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    save("bytes", tokenizer, trainers.BpeTrainer(
        vocab_size=8192, special_tokens=SPECIAL, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False), corpus)

    # SentencePiece's: no token reaches from one word into the next; rare characters are bytes.
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁*[^▁]+|▁+"), "isolated")
    save("words", tokenizer, trainers.BpeTrainer(
        vocab_size=8192, special_tokens=SPECIAL + BYTE_TOKENS, limit_alphabet=1200, show_progress=False), corpus)

    # The same over whole lines, with tokens of several words; many characters have none.
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    save("lines", tokenizer, trainers.BpeTrainer(
        vocab_size=8192, special_tokens=SPECIAL, limit_alphabet=400, max_token_length=24, show_progress=False),
        [line[:400] for line in corpus[:6000]])


def read_model(name):
    return json.loads((FIXTURES / f"{name}.model.json").read_text(encoding="utf-8"))


def whole(pipeline):
    """The tokenizer.json of a pipeline."""
    value = dict(pipeline["tokenizer"])
    value["model"] = read_model(pipeline["model"]) | value.get("model", {})
    return json.dumps({"version": "1.0", "truncation": None, "padding": None} | value)


# Components


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(key, *parts):
    return {"type": "Sequence", key: list(parts)}


def byte_level(**options):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True} | options


def replace(old, new):
    return {"type": "Replace", "pattern": {"String": old}, "content": new}


def metaspace(**options):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True} | options


def template(*before, after=()):
    def piece(token):
        return {"SpecialToken": {"id": token, "type_id": 0}}

    text = {"Sequence": {"id": "A", "type_id": 0}}
    single = [*map(piece, before), text, *map(piece, after)]
    tokens = {t: {"id": t, "ids": [SPECIAL.index(t)], "tokens": [t]} for t in (*before, *after)}
    return {"type": "TemplateProcessing", "single": single, "pair": single + [text], "special_tokens": tokens}


def added(name, tokens):
    """Added tokens, each a text or a text with options; those that the model lacks follow its own."""
    vocab = read_model(name)["vocab"]
    result, next_id = [], len(vocab)
    for token in tokens:
        content, options = (token, {}) if isinstance(token, str) else token
        options = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} | options
        result.append({"id": vocab.get(content, next_id), "content": content} | options)
        next_id += content not in vocab
    return result


def kinds():
    """One pipeline of every kind, as the models of that name have it."""
    def pipeline(name, model, offsets=False, options=None, **parts):
        base = {"normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None}
        return {"name": name, "model": model, "lines": [0, 10_000], "block": 10, "offsets": offsets,
                "tokenizer": base | parts | ({"model": options} if options else {})}

    plain = {"special": False}
    bytes_decoder = byte_level(add_prefix_space=True)
    words_decoder = sequence("decoders", replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"})
    stripping = sequence("decoders", *words_decoder["decoders"], {"type": "Strip", "content": " ", "start": 1, "stop": 0})
    prepending = sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, replace(" ", "▁"))

    def bytes_words(pattern, **options):
        return sequence("pretokenizers", split({"Regex": pattern}, **options), byte_level(use_regex=False))

    chat = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
    return [
        pipeline("gpt-2", "bytes", True, added_tokens=added("bytes", SPECIAL + chat[2:]), pre_tokenizer=byte_level(),
                 post_processor=byte_level(), decoder=byte_level()),
        pipeline("llama-3", "bytes", True, added_tokens=added("bytes", SPECIAL + chat), options={"ignore_merges": True},
                 pre_tokenizer=bytes_words(LLAMA3), decoder=bytes_decoder,
                 post_processor=sequence("processors", byte_level(), template("<s>"))),
        pipeline("qwen-2", "bytes", added_tokens=added("bytes", chat + [("<caf\u00e9>", plain)]), normalizer={"type": "NFC"},
                 pre_tokenizer=bytes_words(QWEN2), post_processor=byte_level(), decoder=byte_level()),
        pipeline("gpt-neox", "bytes", normalizer={"type": "NFC"}, pre_tokenizer=byte_level(), decoder=bytes_decoder,
                 post_processor=template(), added_tokens=added("bytes", chat + [
                     (" " * n, plain | {"normalized": True}) for n in range(24, 1, -1)])),
        pipeline("olmo-2", "bytes", True, pre_tokenizer=bytes_words(LLAMA3), decoder=byte_level(), post_processor=byte_level(),
                 added_tokens=added("bytes", chat + [("|||IP_ADDRESS|||", plain), "<|pad|>"])),
        pipeline("tekken", "bytes", True, options={"ignore_merges": True}, pre_tokenizer=bytes_words(TEKKEN),
                 added_tokens=added("bytes", SPECIAL + ["[INST]", "[MASK]"]), decoder=byte_level(),
                 post_processor=template("<s>", after=("</s>",))),
        pipeline("gpt-4o", "bytes", True, added_tokens=added("bytes", chat), decoder=byte_level(),
                 pre_tokenizer=bytes_words(GPT4O, behavior="Removed", invert=True)),
        pipeline("llama-2", "words", added_tokens=added("words", SPECIAL), normalizer=prepending, decoder=stripping,
                 post_processor=template("<s>")),
        pipeline("phi-3", "words", normalizer=prepending, decoder=stripping, post_processor=template("<s>"),
                 added_tokens=added("words", ["<unk>", "<s>", ("</s>", plain | {"rstrip": True})] + [
                     (t, {"rstrip": True}) for t in chat])),
        pipeline("mistral-1", "words", True, added_tokens=added("words", SPECIAL + ["[INST]", "[/INST]"]),
                 pre_tokenizer=metaspace(prepend_scheme="first", split=False), decoder=stripping,
                 post_processor=template("<s>")),
        pipeline("gemma", "words", normalizer=replace(" ", "▁"), decoder=words_decoder, post_processor=template("<s>"),
                 pre_tokenizer=split({"String": " "}, "MergedWithPrevious"), added_tokens=added(
                     "words", SPECIAL + chat[:2] + [(c * n, plain) for c in "\n\t▁" for n in range(2, 32)])),
        pipeline("metaspace", "words", True, pre_tokenizer=metaspace(), decoder=metaspace(),
                 added_tokens=added("words", SPECIAL), post_processor=template("<s>", after=("</s>",))),
        pipeline("lines", "lines", normalizer=replace(" ", "▁"), decoder=metaspace(),
                 added_tokens=added("lines", SPECIAL)),
    ]


# Mixtures

BEHAVIORS = ["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
REGEXES = [r"\s+", r" {2,}", r"[0-9][0-9][0-9]", r"\p{N}{1,3}", r"[\p{L}\p{M}]+", r"[^\s\p{L}]+\s?", r"\d", r"e+\S?", r"\n",
           r"[a-e']t*h?", r"the?[ .]", r"\P{L}{2,5}", r"[\-.,!]", r".{3}", r"[^a-zé-]o", r"a\S*e\s", r"\.\.?\.?", "\u3042?の"]
STRINGS = [" ", "e", "th", "▁", "the", "'", "  ", "の", "\n", "aa"]


def mixture(rng, number):
    def pattern():
        known = rng.random()
        if known < 0.4:
            return {"String": rng.choice(STRINGS)}
        return {"Regex": rng.choice(REGEXES if known < 0.85 else [GPT2, LLAMA3, QWEN2, TEKKEN, GPT4O])}

    def swap():
        return {"type": "Replace", "pattern": pattern(), "content": rng.choice(["", " ", "▁", "e", "xy", "é", "  "])}

    def space():
        scheme = rng.choice(["always", "first", "never"])
        value = metaspace(prepend_scheme=scheme, split=rng.random() < 0.6)
        if rng.random() < 0.2:
            value["replacement"] = rng.choice("_e")
        return value

    def some(makers, key, most):
        parts = [rng.choice(makers)() for _ in range(rng.randint(0, most))]
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else sequence(key, *parts)

    by_type = [lambda t=t: {"type": t} for t in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents")]
    makers = by_type + [
        lambda: {"type": "Strip", "strip_left": rng.random() < 0.6, "strip_right": rng.random() < 0.6},
        lambda: {"type": "Prepend", "prepend": rng.choice(["▁", " ", "the "])}, swap, swap]
    cuts = [
        lambda: split(pattern(), rng.choice(BEHAVIORS), rng.random() < 0.3),
        lambda: split(pattern(), rng.choice(BEHAVIORS), rng.random() < 0.3),
        lambda: {"type": "Digits", "individual_digits": rng.random() < 0.5},
        lambda: {"type": "Punctuation", "behavior": rng.choice(BEHAVIORS)}, space,
        lambda: {"type": rng.choice(["Whitespace", "WhitespaceSplit"])}]
    decoders = [swap, lambda: replace("▁", " "), lambda: {"type": "ByteFallback"}, lambda: {"type": "Fuse"}, space,
                lambda: {"type": "Strip", "content": rng.choice(" ▁e"), "start": rng.randint(0, 3), "stop": rng.choice([0, 0, 1])}]
    model = rng.choice(["bytes", "words", "words", "lines"])
    cutting = some(cuts, "pretokenizers", 3)
    if model == "bytes":
        last = byte_level(add_prefix_space=rng.random() < 0.5, use_regex=rng.random() < 0.5)
        cutting = sequence("pretokenizers", *([cutting] if cutting else []), last)
        decoders.append(byte_level)
    tokens = [
        (content, {k: rng.random() < 0.35 for k in ("single_word", "lstrip", "rstrip", "normalized", "special")})
        for content in rng.sample(["the", "<|im_start|>", "<|im_end|>", "word", "▁", "  ", "<s>", "[MASK]", "é", "</s>", ". "],
                                  rng.randint(0, 5))]
    options = {"ignore_merges": rng.random() < 0.3, "fuse_unk": rng.random() < 0.5}
    if rng.random() < 0.3:
        options["unk_token"] = None
    if model == "words":
        options["byte_fallback"] = rng.random() < 0.7
    start = number * 300 % 10_000
    return {"name": f"mixture {number}", "model": model, "lines": [start, min(start + 300, 10_000)], "block": 30,
            "offsets": False, "tokenizer": {
                "added_tokens": added(model, tokens), "normalizer": some(makers, "normalizers", 3), "pre_tokenizer": cutting,
                "post_processor": rng.choice([None, template("<s>"), template("<s>", after=("</s>",))]),
                "decoder": some(decoders, "decoders", 4), "model": options}}


# A checkpoint


def write_checkpoint():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁*[^▁]+|▁+"), "isolated")
    tokenizer.train_from_iterator(
        ["The capital of France is Paris and the capital of Italy is Rome", "hello world", "a small model"] * 3,
        trainers.BpeTrainer(vocab_size=320, special_tokens=SPECIAL + BYTE_TOKENS, show_progress=False))
    llama2 = next(kind for kind in kinds() if kind["name"] == "llama-2")["tokenizer"]
    vocab = tokenizer.get_vocab_size()
    text = json.dumps({"version": "1.0"} | llama2 | {"model": json.loads(tokenizer.to_str())["model"]}, ensure_ascii=False)
    width, inner, heads = 16, 32, 2
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocab, "hidden_size": width,
        "intermediate_size": inner, "num_hidden_layers": 1, "num_attention_heads": heads, "num_key_value_heads": heads,
        "head_dim": width // heads, "hidden_act": "silu", "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2}
    shapes = {"model.embed_tokens": (vocab, width), "lm_head": (vocab, width)}
    shapes |= {f"model.layers.0.self_attn.{part}_proj": (width, width) for part in "qkvo"}
    shapes |= {f"model.layers.0.mlp.{part}_proj": (inner, width) for part in ("gate", "up")}
    shapes |= {"model.layers.0.mlp.down_proj": (width, inner)}
    rng = np.random.default_rng(5)
    tensors = [Tensor(f"{name}.weight", "f32", rng.normal(0, shape[1] ** -0.5, shape).astype("<f4"))
               for name, shape in shapes.items()]
    for name in ("model.norm", "model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm"):
        tensors.append(Tensor(f"{name}.weight", "f32", np.ones(width, "<f4")))
    none = {"prefix": "", "suffix": ""}
    chat = {"format": 1, "reducible": True, "bos": "<s>", "default_system": "",
            "system": {"prefix": "[INST] <<SYS>>\n", "suffix": "\n<</SYS>>\n\n"}, "user": {"prefix": "[INST] ", "suffix": " [/INST]"},
            "assistant": none, "generation_prompt": ""}
    checkpoint.write(
        ROOT / "Tests/Fixtures/models/tiny-words.h5", config=json.dumps(config, indent=2).encode(), tensors=tensors,
        tokenizer={"tokenizer.json": text.encode(), "chat.json": json.dumps(chat).encode()}, recipe={}, source="tiny-words",
        overwrite=True)


# Hashes


def hashes(pipeline, lines):
    """Hashes of blocks of lines."""
    text = whole(pipeline)
    tokenizer = Tokenizer.from_str(text)
    # Offsets as they are before a post-processor trims them.
    if tokenizer.normalizer:
        found = [tokenizer.normalizer.normalize_str(t["content"]) for t in pipeline["tokenizer"]["added_tokens"] if t["normalized"]]
        if "" in found or len(set(found)) < len(found):
            raise ValueError("added tokens that are the same or nothing once normalized, which nacre refuses")
    untrimmed = Tokenizer.from_str(json.dumps(json.loads(text) | {"post_processor": None}))
    start, end = pipeline["lines"]
    result = []
    for block in range(start, end, pipeline["block"]):
        of_ids, of_rest = 0, 0
        for line in lines[block : min(block + pipeline["block"], end)]:
            ids = tokenizer.encode(line).ids
            rest = [
                tokenizer.decode(ids, skip_special_tokens=False).encode(),
                tokenizer.decode(ids, skip_special_tokens=True).encode(),
                tokenizer.decode(ids[::-1], skip_special_tokens=False).encode(),
                b"",
            ]
            if pipeline["offsets"]:
                offsets = utf8_offsets(line, untrimmed.encode(line).offsets)
                rest[-1] = struct.pack(f"<{len(offsets)}i", *offsets)
            of_ids = zlib.crc32(struct.pack(f"<{len(ids)}i", *ids), of_ids)
            of_rest = zlib.crc32(bytes([0xFF]).join(rest), of_rest)
        result.append(f"{of_ids:08x} {of_rest:08x}")
    return result


def write_hashes():
    lines = json.loads((FIXTURES / "lines.json").read_text(encoding="utf-8"))
    result = []
    for pipeline in kinds():
        result.append(pipeline | {"hashes": hashes(pipeline, lines)})
        print(pipeline["name"])
    rng = random.Random(11)
    number = 0
    while number < 160:
        pipeline = mixture(rng, number)
        try:
            result.append(pipeline | {"hashes": hashes(pipeline, lines)})
            number += 1
        except BaseException as error:  # The library stops in some of its own errors so.
            if isinstance(error, KeyboardInterrupt):
                raise
            print("left out:", str(error)[:100])
    text = "[\n" + ",\n".join(json.dumps(p, ensure_ascii=False, separators=(",", ":")) for p in result) + "\n]\n"
    (FIXTURES / "pipelines.json").write_text(text, encoding="utf-8", newline="\n")


def main():
    command, *rest = sys.argv[1:] or [""]
    if command == "train" and not rest:
        train()
    elif command == "hashes" and not rest:
        write_hashes()
    elif command == "checkpoint" and not rest:
        write_checkpoint()
    elif command == "write" and len(rest) == 2:
        chosen = next(p for p in kinds() if p["name"] == rest[0])
        with open(rest[1], "w", encoding="utf-8") as file:
            file.write(whole(chosen))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
