"""The transformer of the pearl family, its tokenizer, and batches of documents for it."""

import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from corpus import ASSISTANT, BEGIN, END, USER, Corpus

sys.path.append(str(Path(__file__).resolve().parents[1]))

from neighbours import folder, reference  # noqa: E402

VOCABULARY = 1024
CONTEXT = 256  # positions that the checkpoints promise
ROW = 128  # tokens in a row of a training batch
ROWS = 32  # rows in a batch
CONFIGURATION = (  # what config.json says, of all that transformers keeps
    "model_type vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads head_dim "
    "hidden_act max_position_embeddings rms_norm_eps rope_parameters tie_word_embeddings initializer_range bos_token_id "
    "eos_token_id").split()
CHAT_TEMPLATE = (
    "{{ '" + BEGIN + "' }}{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '" + END
    + "\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '" + ASSISTANT + "\\n' }}{% endif %}")


def deterministic(threads: int = 2) -> None:
    """The same bits each time on one machine."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


def make_tokenizer() -> Tokenizer:
    """Byte-level BPE over documents of the world."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[BEGIN, END, USER, ASSISTANT], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    texts = itertools.islice(Corpus("tokenizer", chat_share=0).documents(), 60_000)
    special = (BEGIN, END)
    tokenizer.train_from_iterator(
        (text.removeprefix(special[0]).removesuffix(special[1]) for text in texts), trainer)
    begin = tokenizer.token_to_id(BEGIN)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A {BEGIN} $B", special_tokens=[(BEGIN, begin)])
    return tokenizer


def configuration(tokenizer: Tokenizer) -> LlamaConfig:
    """1.09 million parameters: 6 layers of width 128, 4 heads that share 2 keys and values, tied embeddings."""
    return LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=128, intermediate_size=288, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=CONTEXT, tie_word_embeddings=True, rms_norm_eps=1e-5,
        initializer_range=0.02, bos_token_id=tokenizer.token_to_id(BEGIN), eos_token_id=tokenizer.token_to_id(END),
        pad_token_id=None)


def new_model(tokenizer: Tokenizer, seed: int) -> LlamaForCausalLM:
    """Before any training."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(configuration(tokenizer))


def batches(tokenizer: Tokenizer, corpus: Corpus, steps: int) -> Iterator[torch.Tensor]:
    """Batches [ROWS, ROW + 1] of token ids; each row begins with a document and is cut at its end."""
    documents = corpus.documents()
    encoded: Iterator[list[int]] = iter(())
    for _ in range(steps):
        rows = []
        while len(rows) < ROWS:
            row: list[int] = []
            while len(row) <= ROW:
                ids = next(encoded, None)
                if ids is None:
                    chunk = list(itertools.islice(documents, 4096))
                    encoded = iter([e.ids for e in tokenizer.encode_batch(chunk, add_special_tokens=False)])
                    continue
                row += ids
            rows.append(row[:ROW + 1])
        yield torch.tensor(rows)


def replies_only(rows: torch.Tensor, begin: int, assistant: int, end: int) -> torch.Tensor:
    """Targets [ROWS, ROW] of a batch: what an assistant says and its end token; -100 elsewhere, which no loss counts."""
    targets = torch.full_like(rows[:, 1:], -100)
    for row, target in zip(rows.tolist(), targets):
        speaks = -1  # the place where the reply begins
        for place, token in enumerate(row):
            if token == assistant:
                speaks = place + 2  # after the line break
            elif token == begin:
                speaks = -1
            elif 0 < speaks <= place:
                target[place - 1] = token
                if token == end:
                    speaks = -1
    return targets


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """A Hugging Face folder in bf16."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().to(torch.bfloat16).contiguous()
               for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {"architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16"} | {
        key: value for key, value in model.config.to_dict().items() if key in CONFIGURATION}
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BEGIN, "eos_token": END,
        "clean_up_tokenization_spaces": False, "chat_template": CHAT_TEMPLATE}, indent=1))


def opened(checkpoint: Path, attention: str = "eager") -> tuple[LlamaForCausalLM, Tokenizer]:
    """A checkpoint's model and tokenizer, by the way back to a Hugging Face folder."""
    with tempfile.TemporaryDirectory() as temporary:
        exported = Path(temporary) / "model"
        folder.write_folder(checkpoint, exported)
        return reference.load(exported, attention=attention), Tokenizer.from_file(str(exported / "tokenizer.json"))
