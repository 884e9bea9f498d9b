"""A chat template, reduced to the plain text around each message.

A template is a program; nacre runs no program from a file. So the converter renders it here, in Jinja's sandbox
with the settings that `transformers` uses, takes the text between the messages, and keeps it only if putting the
messages back gives the template's own output on every conversation tried.

Result, stored as `/tokenizer/chat.json`:

    {"format": 1, "reducible": true, "bos": "", "default_system": "",
     "system": {"prefix": "", "suffix": ""}, "user": {…}, "assistant": {…}, "generation_prompt": ""}

`default_system` is everything before the first user turn when no system message is given. A conversation is
`bos`, then `default_system` or the system turn, then the turns, then `generation_prompt` if a reply is wanted.
Format 2 says more: a role whose content the template strips has `"trim": true`, and `"system": null` with a
`"system_reason"` where the template takes no system message, or does not give it a turn of its own.
`{"format": 1, "reducible": false, "reason": "…"}` is the answer for every other template.
"""

import contextlib
import itertools
import json
import signal
import threading
from typing import Iterator

import jinja2
import jinja2.ext
import jinja2.sandbox

from .errors import oneline, shown

SECONDS = 10
DATES = ("31 December 1999", "1 January 2000")
MARK = {role: f"Zq{role.capitalize()}0{role}qZ" for role in ("system", "first", "answer", "second")}
ODD = ("\n\ntwo lines before and spaces after  ", "\t", "", "a\r\nb\n", "{{ x }} {% y %} {# z #}",
       "naïve 漢字 🙂 'q' \"d\"",
       "<think>a</think>\n\nb", "[INST] x [/INST]", "<|im_end|>", "### User: </s>")
SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class _Irreducible(Exception):
    """Why a template is not plain text around messages."""


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` marks the assistant's text for training; it renders as its body."""

    tags = {"generation"}

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body, lineno=line)


class Template:
    """A chat template and the special tokens it may name."""

    def __init__(self, text: str, special: dict[str, str]):
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols])

        def raise_exception(message: str) -> None:
            raise jinja2.TemplateError(str(message))

        def tojson(value: object, ensure_ascii: bool = False, indent: int | None = None,
                   separators: tuple | None = None, sort_keys: bool = False) -> str:
            return json.dumps(
                value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

        environment.filters["tojson"] = tojson
        environment.globals["raise_exception"] = raise_exception
        environment.globals["strftime_now"] = lambda _: self.date
        self.date = DATES[0]
        self.special = special
        try:
            self._template = environment.from_string(text)
        except (jinja2.TemplateError, RecursionError) as error:
            raise _Irreducible(f"the template does not compile: {oneline(error)}") from None

    def render(self, messages: list[dict], generation: bool = False, **replaced: str) -> str:
        """The template's text for a conversation."""
        try:
            return self._template.render(
                messages=[dict(message) for message in messages], tools=None, documents=None,
                add_generation_prompt=generation, **(self.special | replaced))
        except _Irreducible:
            raise
        except Exception as error:  # a template can raise anything
            raise _Irreducible(f"the template fails: {oneline(error)}") from None


def turn(role: str, content: str) -> dict:
    """One message."""
    return {"role": role, "content": content}


SYSTEM, FIRST = turn("system", MARK["system"]), turn("user", MARK["first"])
ANSWER, SECOND = turn("assistant", MARK["answer"]), turn("user", MARK["second"])


def assemble(chat: dict, messages: list[dict], generation: bool = False) -> str:
    """A conversation's text from its segments, as the shell will build it."""
    out = chat["bos"]
    if messages[0]["role"] != "system":
        out += chat["default_system"]
    for message in messages:
        role = chat[message["role"]]
        content = message["content"].strip() if role.get("trim") else message["content"]
        out += role["prefix"] + content + role["suffix"]
    return out + (chat["generation_prompt"] if generation else "")


def reduce_chat(tokenizer_config: dict) -> dict | None:
    """The segments of a tokenizer's chat template, or why there are none; None without a template."""
    text = tokenizer_config.get("chat_template")
    if isinstance(text, list):  # several named templates
        named = {item.get("name"): item.get("template") for item in text if isinstance(item, dict)}
        text = named.get("default")
    elif isinstance(text, dict):
        text = text.get("default")
    if not isinstance(text, str):
        return None
    special = {}
    for key in SPECIAL:
        value = tokenizer_config.get(key)
        value = value.get("content") if isinstance(value, dict) else value
        if isinstance(value, str):
            special[key] = value
    try:
        with _time_limit():
            return _reduce(Template(text, special))
    except _Irreducible as error:
        return {"format": 1, "reducible": False, "reason": shown(error)}


def _between(text: str, *messages: dict) -> list[str]:
    """The text before, between and after messages that must each appear once, in order."""
    gaps = []
    for message in messages:
        if text.count(message["content"]) > 1:
            raise _Irreducible("the template shows a message more than once")
        before, found, text = text.partition(message["content"])
        if not found:
            raise _Irreducible("the template does not show every message in order")
        gaps.append(before)
    return gaps + [text]


def _without_prefix(text: str, prefix: str, why: str) -> str:
    if not text.startswith(prefix):
        raise _Irreducible(why)
    return text[len(prefix):]


def _without_suffix(text: str, suffix: str, why: str) -> str:
    if not text.endswith(suffix):
        raise _Irreducible(why)
    return text[: len(text) - len(suffix)]


def _reduce(template: Template) -> dict:
    head, user_suffix = _between(template.render([FIRST]), FIRST)
    _, prompted = _between(template.render([FIRST], True), FIRST)
    generation = _without_prefix(prompted, user_suffix, "asking for a reply changes the text before it")
    _, reply, assistant_suffix = _between(template.render([FIRST, ANSWER]), FIRST, ANSWER)
    assistant_prefix = _without_prefix(reply, user_suffix, "a user turn ends differently when a reply follows")
    _, _, joint, _ = _between(template.render([FIRST, ANSWER, SECOND]), FIRST, ANSWER, SECOND)
    user_prefix = _without_prefix(
        joint, assistant_suffix, "an assistant turn ends differently when a user turn follows")
    start = _without_suffix(head, user_prefix, "the first user turn begins differently from the later ones")
    bos, default_system = "", start
    token = template.special.get("bos_token")
    if token:  # it counts as BOS only where the template writes the variable
        other = template.render([FIRST], bos_token="ZqBosqZ")
        if other.startswith("ZqBosqZ") and start.startswith(token):
            bos, default_system = token, start[len(token):]
    chat = {
        "format": 1, "reducible": True, "bos": bos, "default_system": default_system, "system": None,
        "user": {"prefix": user_prefix, "suffix": user_suffix},
        "assistant": {"prefix": assistant_prefix, "suffix": assistant_suffix}, "generation_prompt": generation}
    for messages in ([FIRST], [FIRST, ANSWER, SECOND]):  # before odd content, so that the reason is the right one
        if template.render(messages) != assemble(chat, messages):
            raise _Irreducible("the text around a message depends on the conversation")
    _fit(template, chat, "user", lambda odd: [turn("user", odd), ANSWER, SECOND])
    _fit(template, chat, "assistant", lambda odd: [FIRST, turn("assistant", odd), SECOND])
    try:
        before, between, _ = _between(template.render([SYSTEM, FIRST]), SYSTEM, FIRST)
        chat["system"] = {
            "prefix": _without_prefix(before, bos, "a system message removes BOS"),
            "suffix": _without_suffix(between, user_prefix, "a system message changes how the first user turn begins")}
        _fit(template, chat, "system", lambda odd: [turn("system", odd), FIRST])
    except _Irreducible as error:
        chat |= {"format": 2, "system": None, "system_reason": shown(error)}
    for template.date in DATES:
        for messages, wanted in _conversations(chat):
            if template.render(messages, wanted) != assemble(chat, messages, wanted):
                raise _Irreducible("the text depends on the date" if template.date != DATES[0]
                                   else "the text around a message depends on the conversation")
    return chat


def _fit(template: Template, chat: dict, role: str, conversation) -> None:
    """Find whether a role's content stays as it is or is stripped; an error when it is neither."""
    for trim in (False, True):
        if trim:
            chat[role]["trim"] = True
            chat["format"] = 2
        if all(template.render(conversation(odd)) == assemble(chat, conversation(odd)) for odd in ODD
               if odd or role != "system"):  # an empty system message is none
            return
    raise _Irreducible(f"the content of a {role} message is changed")


def _conversations(chat: dict) -> Iterator[tuple[list[dict], bool]]:
    """Conversations to check, with whether a reply is asked for: 1 to 5 messages, with odd text in each."""
    openings = [[]] + ([[SYSTEM]] if chat["system"] else [])
    exchange = [FIRST, ANSWER, SECOND, turn("assistant", "another answer"), turn("user", "a third question")]
    for opening, length, odd in itertools.product(openings, range(1, 6), (None, *ODD)):
        messages = opening + exchange[:length]
        if odd is not None:
            if messages[0]["role"] == "system" and not odd:
                continue
            # The odd text visits each message in turn.
            for at in range(len(messages)):
                changed = [turn(m["role"], odd) if i == at else m for i, m in enumerate(messages)]
                yield from ((changed, wanted) for wanted in _wanted(changed))
        else:
            yield from ((messages, wanted) for wanted in _wanted(messages))


def _wanted(messages: list[dict]) -> tuple[bool, ...]:
    return (False, True) if messages[-1]["role"] == "user" else (False,)


@contextlib.contextmanager
def _time_limit():
    """A template that runs too long is not reducible."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def expired(*_: object) -> None:
        raise _Irreducible(f"the template takes more than {SECONDS} s")

    old = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
