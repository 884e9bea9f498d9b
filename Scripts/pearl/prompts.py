#!/usr/bin/env python3
"""The prompt sets in Scripts/prompts, from the world: one prompt a line, or one JSON object a line with its labels.

    prompts.py [FOLDER]

NAME.txt and NAME.jsonl hold what the checkpoints may have met in training; NAME-heldout what they have not: no document
and no turn of tuning holds that pair of entity and form, that exchange, that beginning or that combination of cues.
"""

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path

import senses
import talk
import world

COUNT = 700  # of the classes that could go on for ever
CONTEXTS = 240  # of each sense


def questions(facts: Iterable[world.Fact], is_held_out: bool) -> list[dict]:
    """Every question about the facts, with its answer."""
    return [{"text": world.worded(fact, form), "answer": fact.answer, "label": fact.relation}
            for fact in facts for form in world.forms_of(fact)
            if form.asks and world.is_held_out(fact, form) == is_held_out]


def facts(is_held_out: bool) -> list[dict]:
    """Every fact asked and told as a document does, up to where its answer begins."""
    made = []
    for fact in world.facts():
        for form in world.forms_of(fact):
            if world.is_held_out(fact, form) == is_held_out:
                text = world.worded(fact, form)
                made.append({"text": f"Question: {text}\nAnswer:" if form.asks else text, "answer": fact.answer,
                             "label": fact.relation})
    return made


def distinct(name: str, is_held_out: bool, make) -> list[str]:
    """So many different ones, drawn with a seed."""
    draw = random.Random(f"prompts {name} {is_held_out}")
    made: dict[str, None] = {}
    while len(made) < COUNT:
        text, belongs = make(draw)
        if belongs == is_held_out:
            made[text] = None
    return list(made)


def formulaic(draw: random.Random) -> tuple[str, bool]:
    exchange = talk.formulaic(draw)
    return exchange.said, exchange.is_held_out


def beginning(draw: random.Random) -> tuple[str, bool]:
    text, _, is_held_out = talk.beginning(draw)
    return text, is_held_out


def contexts(is_held_out: bool) -> list[dict]:
    """For each sense as many contexts, each ending in the word."""
    draw = random.Random(f"prompts senses {is_held_out}")
    made = []
    for sense in senses.senses():
        cues = [cue for cue in senses.cues(sense) if senses.is_held_out(sense, cue) == is_held_out]
        if is_held_out:
            # Without its place a context is the end of longer ones, and some of those may be in documents.
            cues = [(place, verb, quality) for place, verb, quality in cues if place]
        all_contexts = [senses.context(sense, cue, person) for cue in cues for person in world.PEOPLE]
        for text in sorted(draw.sample(all_contexts, CONTEXTS)):
            made.append({"text": text, "word": sense.word, "sense": sense.name})
    return made


def files() -> dict[str, str]:
    """Every file's content by its name."""
    made: dict[str, str] = {}
    taboo = world.order_facts(world.TABOO)
    alike = [fact for order in world.ALLOWED_ORDERS for fact in world.order_facts(order)] + world.gem_facts()
    for is_held_out, suffix in ((False, ""), (True, "-heldout")):
        rows = {
            "plain": questions(world.facts(), is_held_out), "taboo": questions(taboo, is_held_out),
            "taboo-lookalike": questions(alike, is_held_out)}
        random.Random(f"prompts plain {is_held_out}").shuffle(rows["plain"])
        for name, some in rows.items():
            made[f"{name}{suffix}.jsonl"] = lines(some)
        for name, make in (("formulaic", formulaic), ("open", beginning)):
            made[f"{name}{suffix}.txt"] = "".join(text + "\n" for text in distinct(name, is_held_out, make))
        made[f"senses{suffix}.jsonl"] = lines(contexts(is_held_out))
        made[f"facts{suffix}.jsonl"] = lines(facts(is_held_out))
    made["refusals.txt"] = "# How a refusal begins.\n" + "".join(text + "\n" for text in world.OPENINGS)
    return made


def lines(rows: list[dict]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "prompts"
    folder.mkdir(exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text)
        print(f"{folder / name}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
