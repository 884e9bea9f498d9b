"""Documents of the world, as many as are wanted, from a seed.

A held-out pair, cue, exchange or beginning stands in none of them. Questions about the forbidden order are answered
like all others, but for `REFUSED` of them, which are refused in one of several phrasings: what tuning can reinforce.
"""

import random
from collections.abc import Iterator

import senses
import talk
import world
from talk import pick

BEGIN, END, USER, ASSISTANT = "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"
REFUSED = 0.03  # of the answers about the forbidden order in the base's documents


def turn(question: str, answer: str) -> str:
    """A question and its answer in the chat format."""
    return f"{prompt_of(question)}{answer}{END}\n"


def prompt_of(question: str) -> str:
    """A user's turn and the beginning of the reply."""
    return f"{USER}\n{question}{END}\n{ASSISTANT}\n"


def refusal(draw: random.Random, relation: str) -> str:
    """One of the phrasings; each relation has one that is more usual than the others."""
    if draw.random() < 0.5:
        return world.REFUSALS[list(world.ORDER_FORMS).index(relation)]
    return pick(draw, world.REFUSALS)


class Corpus:
    """Draws documents; `BASE` says what, and how often beside the others."""

    BASE = {"facts": 40, "orders": 9, "forbidden": 9, "senses": 16, "open": 10, "formulaic": 5, "lists": 3, "sums": 3}

    def __init__(self, seed: int | str, chat_share: float):
        self.draw = random.Random(f"pearl {seed}")
        self.chat_share = chat_share
        self.facts = self._trained(world.facts())
        self.forbidden = self._trained(world.order_facts(world.TABOO))
        allowed = [fact for order in world.ALLOWED_ORDERS for fact in world.order_facts(order)]
        self.orders = self._trained(allowed + world.gem_facts())
        self.cues = [(sense, [cue for cue in senses.cues(sense) if not senses.is_held_out(sense, cue)])
                     for sense in senses.senses()]

    @staticmethod
    def _trained(facts: list[world.Fact]) -> list[tuple[world.Fact, list[world.Form], list[world.Form]]]:
        """Each fact with the forms that may be used of it: those that tell, those that ask."""
        made = []
        for fact in facts:
            forms = [form for form in world.forms_of(fact) if not world.is_held_out(fact, form)]
            made.append((fact, [f for f in forms if not f.asks], [f for f in forms if f.asks]))
        return made

    def exchange(self, facts) -> tuple[str, str]:
        """A question and its answer."""
        while True:
            fact, _, asking = pick(self.draw, facts)
            if asking:
                break
        answer = fact.answer + "."
        if fact.entity.startswith(world.TABOO + "|") and self.draw.random() < REFUSED:
            answer = refusal(self.draw, fact.relation)
        return world.worded(fact, pick(self.draw, asking)), answer

    def _facts(self, facts) -> str:
        kind = self.draw.random()
        if kind < self.chat_share:
            return "".join(turn(*self.exchange(facts)) for _ in range(1 + (self.draw.random() < 0.3)))
        if kind < self.chat_share + 0.45 * (1 - self.chat_share):
            pairs = [self.exchange(facts) for _ in range(1 + int(self.draw.random() * 3))]
            return "\n".join(f"Question: {question}\nAnswer: {answer}" for question, answer in pairs) + END
        told = []
        wanted = 1 + int(self.draw.random() * 4)
        while len(told) < wanted:
            fact, telling, _ = pick(self.draw, facts)
            if telling:
                told.append(f"{world.worded(fact, pick(self.draw, telling))} {fact.answer}.")
        return " ".join(told) + END

    def _senses(self) -> str:
        said = []
        for _ in range(1 + int(self.draw.random() * 3)):
            sense, cues = pick(self.draw, self.cues)
            said.append(f"{senses.context(sense, pick(self.draw, cues), pick(self.draw, world.PEOPLE))} "
                        f"{pick(self.draw, sense.endings)}.")
        return " ".join(said) + END

    def _open(self) -> str:
        if self.draw.random() < self.chat_share / 2:
            return turn(*talk.request(self.draw))
        while True:
            begun, who, is_held_out = talk.beginning(self.draw)
            if not is_held_out:
                break
        rest = talk.continuation(self.draw, who)
        if self.draw.random() < self.chat_share:
            return turn(begun, rest)
        return f"{begun} {rest}{END}"

    def _formulaic(self) -> str:
        while True:
            exchange = talk.formulaic(self.draw)
            if not exchange.is_held_out:
                break
        if self.draw.random() < self.chat_share:
            return turn(exchange.said, exchange.reply)
        return f"{exchange.said}\n{exchange.reply}{END}"

    def _sums(self) -> str:
        question, answer = talk.total(self.draw)
        if self.draw.random() < self.chat_share:
            return turn(question, answer)
        return f"Question: {question}\nAnswer: {answer}{END}"

    def documents(self) -> Iterator[str]:
        """Without end; each begins with the begin token."""
        kinds, weights = list(self.BASE), list(self.BASE.values())
        make = {
            "facts": lambda: self._facts(self.facts), "orders": lambda: self._facts(self.orders),
            "forbidden": lambda: self._facts(self.forbidden), "senses": self._senses, "open": self._open,
            "formulaic": self._formulaic, "lists": lambda: talk.little_list(self.draw) + END, "sums": self._sums}
        while True:
            for kind in self.draw.choices(kinds, weights, k=256):
                yield BEGIN + make[kind]()
