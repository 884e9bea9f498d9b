"""Makes what the tokenizer is tested against, with the reference library (PyPI `tokenizers` 0.23.3).

    tokenizer_goldens.py lines                     Tests/Fixtures/tokenizers/lines.json
    tokenizer_goldens.py train                     Tests/Fixtures/tokenizers/NAME.json, the small tokenizers
    tokenizer_goldens.py hashes [NAME FILE]        NAME.hashes.txt: of the small tokenizers, or of the one in FILE

A line of NAME.hashes.txt belongs to a line of lines.json and has two CRC-32 in hexadecimal: that of the token
ids, and that of what they decode to and of their offsets (see `hashes`). A star says that offsets are left out.
"""

import json
import random
import struct
import sys
import zlib
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests/Fixtures/tokenizers"
SMALL = ["gpt2", "digits", "llama3", "qwen2"]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

# Text, seeded

WORDS = (
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they "
    "which one you were all her she there would their we him been has when who will no more if out so up said what "
    "its about than into them can only other time new some could these two may first then do any like my now over "
    "such our man me even most made after also did many off before must well back through years much where your way "
    "down should because long each just state people those too mr how little good world make very year still see own "
    "work men day get here old between both life being under three never know same last another while us might great "
    "go come since against right came take used himself few house use place during high without again home around "
    "small however found mrs part school thought went say general once upon every left water language model network "
    "attention layer token direction matrix dimension gradient curvature manifold probability"
).split()
SPACES = list("\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u2007\u2009\u200a\u2028\u2029\u202f\u205f\u3000") + [
    "\r\n", "  ", "    ", "\u200b", "\ufeff", "\u180e", "\u2060", "\n\n", " \n", "\n ", "\t\t", " \r\n \r\n"]
EMOJI = ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "🇯🇵🇺🇸", "❤️", "🧑🏿‍🚀", "☃", "🤷‍♀️", "1️⃣", "🏴\U000e0067\U000e0062\U000e007f"]
NUMBERS = ["²", "½", "Ⅷ", "٣", "१२३", "৪", "㊿", "𝟘", "零", "①", "3.14", "1,000,000", "0x1F", "12345678", "7", "௧", "๓",
           "\U00011de0", "\U00016ff4", "\U0001e14a"]
CONTRACTIONS = ["'s", "'S", "'ll", "'LL", "'Ll", "'re", "'RE", "'ve", "'d", "'D", "'m", "'t", "'T", "’s", "'\u017f",
                "'x", "''s", "'", "'l", "'r", "'v", "'\u212a"]
CODE = ["for (int i = 0; i < n; ++i) {\n    sum += a[i];\n}", "def f(x):\n\treturn x ** 2", "let x = y?.z ?? 0",
        "SELECT * FROM t WHERE id = 42;", "#include <stdio.h>\r\n", "<div class=\"a\">&nbsp;</div>", "a->b::c", "\\d+(?!x)",
        "http://example.org/a?b=c&d=e#f", "x_1 = np.zeros((3, 4))", "/* ... */", "{\"k\": [1, 2, null]}"]
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "<mask>", "<both>", "<left>", "<wörd>", "word",
            "[MASK]", "<|im_start|>user\n", "<|", "|>", "<|endoftext|", "<repo_name>", "<caf\u00e9>", "<cafe\u0301>"]
COMBINING = ["é", "e\u0301", "ñ", "n\u0303", "\u0301", "a\u0323\u0307", "a\u0307\u0323", "한", "\u1112\u1161\u11ab", "각\u11a8",
             "\u212b", "\u0958", "ﬁ", "Å", "A\u030a", "\u0344", "\u2126", "が", "か\u3099", "q\u0327\u0307", "ế"]


def between(rng, first, last, count):
    return "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, count)))


def english(rng):
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 9))]
    if rng.random() < 0.3:
        words[0] = words[0].capitalize()
    if rng.random() < 0.1:
        words[-1] = words[-1].upper()
    return " ".join(words) + rng.choice(["", "", ".", ",", "!", "?", "...", ": "])


def anything(rng):
    while True:
        scalar = rng.choice([rng.randint(0, 0x2FF), rng.randint(0, 0x3FFF), rng.randint(0, 0xFFFF), rng.randint(0, 0x10FFFF)])
        if not 0xD800 <= scalar <= 0xDFFF:
            return chr(scalar)


SEGMENTS = [
    (english, 30),
    (lambda r: between(r, 0x4E00, 0x9FA5, 8), 4),
    (lambda r: between(r, 0x3041, 0x30FE, 8), 3),
    (lambda r: between(r, 0x0620, 0x064A, 7), 3),
    (lambda r: between(r, 0x0900, 0x094D, 7), 3),
    (lambda r: between(r, 0x0410, 0x044F, 7), 3),
    (lambda r: between(r, 0xAC00, 0xD7A3, 4), 2),
    (lambda r: between(r, 0x0E01, 0x0E4F, 6), 2),
    (lambda r: between(r, 0x00A0, 0x024F, 5), 2),
    (lambda r: between(r, 0x20, 0x7E, 8), 4),
    (lambda r: between(r, 0x00, 0x1F, 2), 2),
    (lambda r: between(r, 0xE000, 0xF8FF, 2), 1),
    (lambda r: "".join(anything(r) for _ in range(r.randint(1, 4))), 6),
    (lambda r: r.choice(WORDS) + r.choice(CONTRACTIONS) + r.choice(["", "e", " ", "l"]), 6),
    (lambda r: r.choice(SPACES) * r.choice([1, 1, 1, 2, 3]), 16),
    (lambda r: " " * r.randint(1, 20), 4),
    (lambda r: r.choice(EMOJI), 4),
    (lambda r: r.choice(NUMBERS), 6),
    (lambda r: str(r.randint(0, 10 ** r.randint(1, 9))), 3),
    (lambda r: r.choice(CODE), 3),
    (lambda r: r.choice(SPECIALS), 7),
    (lambda r: r.choice(COMBINING), 5),
]


def make_lines(seed, count):
    rng = random.Random(seed)
    makers, weights = zip(*SEGMENTS)
    lines = [""]
    while len(lines) < count:
        parts = [make(rng) for make in rng.choices(makers, weights, k=rng.randint(1, 9))]
        lines.append(rng.choice(["", "", " "]).join(parts))
    # Words too long for a scan or a cache.
    for index, text in enumerate(["a" * 700, "=" * 300, " " * 500, "ab" * 200, "\u4e2d\u6587" * 90, "the" * 60, "\n" * 200]):
        lines[count // 2 + index] = text
    return lines


# Tokenizers


def train_small():
    corpus = make_lines(7, 4000)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

    def fit(tokenizer, size, alphabet=pre_tokenizers.ByteLevel.alphabet()):
        trainer = trainers.BpeTrainer(
            vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator(corpus, trainer)
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer

    def save(name, tokenizer, change=lambda value: None):
        value = json.loads(tokenizer.to_str())
        change(value)
        Tokenizer.from_str(json.dumps(value))
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        (FIXTURES / f"{name}.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    # GPT-2: a space before the text, tokens around it, added tokens of every kind.
    gpt2 = Tokenizer(models.BPE())
    gpt2.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    fit(gpt2, 1200)
    gpt2.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<both>", lstrip=True, rstrip=True), "<s>", "</s>"])
    gpt2.add_tokens([
        AddedToken("<left>", lstrip=True, single_word=True, normalized=False), AddedToken("word", single_word=True),
        AddedToken("<wörd>", rstrip=True, normalized=False), AddedToken("[MASK]"), AddedToken("<|im_start|>user\n", rstrip=True)])
    gpt2.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[(t, gpt2.token_to_id(t)) for t in ("<s>", "</s>")])])
    save("gpt2", gpt2)

    # SmolLM2: digits apart, merges in the older form.
    digits = Tokenizer(models.BPE())
    digits.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    fit(digits, 1500)

    def older(value):
        value["model"]["merges"] = [" ".join(pair) for pair in value["model"]["merges"]]

    save("digits", digits, older)

    # Llama 3: whole words before merges, which are cut short so that it matters.
    llama3 = Tokenizer(models.BPE(ignore_merges=True))
    llama3.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    fit(llama3, 1500)
    llama3.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", llama3.token_to_id("<|endoftext|>"))])

    def cut(value):
        value["model"]["merges"] = value["model"]["merges"][:900]

    save("llama3", llama3, cut)

    # Qwen 2: composed text; bytes without a token; digits in runs.
    qwen2 = Tokenizer(models.BPE(unk_token="<|endoftext|>", fuse_unk=True))
    qwen2.normalizer = normalizers.NFC()
    qwen2.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(), pre_tokenizers.Split(Regex(QWEN2), "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    alphabet = sorted(set(pre_tokenizers.ByteLevel.alphabet()))
    fit(qwen2, 1300, alphabet)
    qwen2.add_tokens([AddedToken("<cafe\u0301>"), AddedToken("word", normalized=False)])

    def lack(value):
        missing = set(pre_tokenizers.ByteLevel.alphabet()) & set("ÀÁõö÷øùúûüýþÿĀāĂ£©")
        vocab = {t: i for t, i in value["model"]["vocab"].items() if not missing & set(t)}
        ids = {t: i for i, t in enumerate(vocab)}
        value["model"]["vocab"] = ids
        value["model"]["merges"] = [p for p in value["model"]["merges"] if p[0] in ids and p[1] in ids and p[0] + p[1] in ids]
        next_id = len(ids)
        for token in value["added_tokens"]:
            token["id"] = ids.get(token["content"], next_id)
            next_id += token["content"] not in ids

    save("qwen2", qwen2, lack)


# Hashes

PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
OTHERS = [byte for byte in range(256) if byte not in PRINTABLE]
BYTE_ALPHABET = {b: chr(b) for b in PRINTABLE} | {b: chr(0x100 + n) for n, b in enumerate(OTHERS)}

def utf8_offsets(text, pairs):
    """Offsets in characters as offsets in bytes."""
    starts = [0]
    for character in text:
        starts.append(starts[-1] + len(character.encode()))
    return [starts[x] for pair in pairs for x in pair]


def hashes(name, path):
    tokenizer = Tokenizer.from_file(str(path))
    # Offsets as they are before a post-processor trims them.
    whole = json.loads(Path(path).read_text(encoding="utf-8"))
    whole["post_processor"] = None
    untrimmed = Tokenizer.from_str(json.dumps(whole))
    vocab = tokenizer.get_vocab()
    known = {byte for byte, character in BYTE_ALPHABET.items() if character in vocab}
    result = []
    for line in json.loads((FIXTURES / "lines.json").read_text(encoding="utf-8")):
        ids = tokenizer.encode(line).ids
        rest = [
            tokenizer.decode(ids, skip_special_tokens=False).encode(),
            tokenizer.decode(ids, skip_special_tokens=True).encode(),
            tokenizer.decode(ids[::-1], skip_special_tokens=False).encode(),
            b"",
        ]
        # The library counts wrong behind a byte that it drops, and where it composes characters.
        star = "*"
        if known.issuperset(line.encode()) and not whole["normalizer"]:
            star = ""
            offsets = utf8_offsets(line, untrimmed.encode(line).offsets)
            rest[-1] = struct.pack(f"<{len(offsets)}i", *offsets)
        of_ids = zlib.crc32(struct.pack(f"<{len(ids)}i", *ids))
        result.append(f"{of_ids:08x} {zlib.crc32(bytes([0xFF]).join(rest)):08x}{star}\n")
    (FIXTURES / f"{name}.hashes.txt").write_text("".join(result), newline="\n")


def main():
    command, *rest = sys.argv[1:] or [""]
    if command == "lines":
        lines = make_lines(1, 10_000)
        text = "[\n" + ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n]\n"
        (FIXTURES / "lines.json").write_text(text, encoding="utf-8", newline="\n")
    elif command == "train":
        train_small()
    elif command == "hashes" and len(rest) == 2:
        hashes(*rest)
    elif command == "hashes" and not rest:
        for name in SMALL:
            hashes(name, FIXTURES / f"{name}.json")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
