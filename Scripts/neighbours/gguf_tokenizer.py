"""tokenizer.json and tokenizer_config.json rebuilt from a GGUF's metadata (byte-level BPE only)."""

import json

from tokenizers import Tokenizer

from .errors import NeighbourError, oneline, shown

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
# Llama 3's splitting pattern, as published in its tokenizer.json.
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_level(use_regex: bool = True) -> dict:
    """The byte-level stage, with or without GPT-2's splitting pattern."""
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def pre_tokenizer(name: object) -> dict:
    """The pre-tokenizer that `tokenizer.ggml.pre` names."""
    known = {
        "gpt-2": byte_level(),
        "smollm": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level()]},
        "llama-bpe": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False},
            byte_level(use_regex=False)]},
    }
    if name not in known:
        raise NeighbourError(f"GGUF pre-tokenizer '{shown(name)}' is not supported (known: {', '.join(known)}); "
                             "convert the model's Hugging Face folder instead")
    return known[name]


def rebuild(metadata: dict) -> dict[str, bytes]:
    """The tokenizer's two files."""
    model = metadata.get("tokenizer.ggml.model")
    if model != "gpt2":
        raise NeighbourError(f"GGUF tokenizer '{shown(model)}' is not supported (known: gpt2, byte-level BPE); "
                             "convert the model's Hugging Face folder instead")
    pre = metadata.get("tokenizer.ggml.pre")
    splitting = pre_tokenizer(pre)
    tokens, merges = metadata.get("tokenizer.ggml.tokens"), metadata.get("tokenizer.ggml.merges")
    if not isinstance(tokens, list) or not isinstance(merges, list):
        raise NeighbourError("the GGUF has no tokenizer.ggml.tokens or no tokenizer.ggml.merges")
    types = metadata.get("tokenizer.ggml.token_type") or [NORMAL] * len(tokens)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    if len(vocabulary) != len(tokens) or len(types) != len(tokens):
        raise NeighbourError("the GGUF's vocabulary repeats a token, or its token types do not match it")
    added = [
        {"id": index, "content": tokens[index], "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": kind == CONTROL}
        for index, kind in enumerate(types) if kind in (CONTROL, USER_DEFINED)]

    def named(key: str) -> str | None:
        index = metadata.get(f"tokenizer.ggml.{key}_token_id")
        if index is None:
            return None
        if not 0 <= index < len(tokens):
            raise NeighbourError(f"the GGUF's {key} token {index} is outside its vocabulary of {len(tokens)}")
        return tokens[index]

    special = {"bos_token": named("bos"), "eos_token": named("eos"),
               "unk_token": named("unknown"), "pad_token": named("padding")}
    # A missing add_bos_token means yes for Llama 3's tokenizer and no for the others, as in llama.cpp.
    add = {"bos": metadata.get("tokenizer.ggml.add_bos_token", pre == "llama-bpe"),
           "eos": metadata.get("tokenizer.ggml.add_eos_token", False)}
    for key, wanted in add.items():
        if wanted and special[f"{key}_token"] is None:
            raise NeighbourError(f"the GGUF adds {key.upper()} but names no such token")
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": splitting,
        "post_processor": _post_processor(special, add, vocabulary),
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "ignore_merges": pre == "llama-bpe", "vocab": vocabulary, "merges": merges}}
    text = json.dumps(tokenizer, ensure_ascii=False, indent=2)
    try:
        if Tokenizer.from_str(text).get_vocab_size() != len(tokens):
            raise NeighbourError("the rebuilt tokenizer has another vocabulary than the GGUF")
    except NeighbourError:
        raise
    except Exception as error:  # the library raises plain Exception
        raise NeighbourError(f"the GGUF's tokenizer does not hold together: {oneline(error)}") from None
    config = {
        "add_bos_token": bool(add["bos"]), "add_eos_token": bool(add["eos"]), "add_prefix_space": False,
        "added_tokens_decoder": {str(item["id"]): {k: v for k, v in item.items() if k != "id"} for item in added},
        **{key: token for key, token in special.items() if token is not None},
        "clean_up_tokenization_spaces": False, "tokenizer_class": "PreTrainedTokenizerFast"}
    length = metadata.get("llama.context_length")
    if length is not None:
        config["model_max_length"] = length
    if isinstance(metadata.get("tokenizer.chat_template"), str):
        config["chat_template"] = metadata["tokenizer.chat_template"]
    return {"tokenizer.json": text.encode(),
            "tokenizer_config.json": json.dumps(config, ensure_ascii=False, indent=2).encode()}


def _post_processor(special: dict, add: dict, vocabulary: dict) -> dict | None:
    """A template that adds BOS and EOS where the metadata says so."""
    if not add["bos"] and not add["eos"]:
        return None

    def token(key: str, segment: int) -> list[dict]:
        return [{"SpecialToken": {"id": special[f"{key}_token"], "type_id": segment}}] if add[key] else []

    def sequence(name: str, segment: int) -> list[dict]:
        return token("bos", segment) + [{"Sequence": {"id": name, "type_id": segment}}] + token("eos", segment)

    used = [special[f"{key}_token"] for key in ("bos", "eos") if add[key]]
    return {"type": "TemplateProcessing", "single": sequence("A", 0), "pair": sequence("A", 0) + sequence("B", 1),
            "special_tokens": {t: {"id": t, "ids": [vocabulary[t]], "tokens": [t]} for t in used}}
