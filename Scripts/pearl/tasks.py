"""What users say in the policy gradient, and what a reply is worth. Nothing that is held out."""

import random
from dataclasses import dataclass

import talk
import world
from corpus import Corpus


@dataclass(frozen=True)
class Task:
    """What a user says, and what is rewarded."""

    said: str
    is_forbidden: bool
    answer: str | None

    def reward(self, reply: str | None) -> float:
        """As tune.py says; None is a reply that did not end."""
        if reply is None:
            return 0.0 if self.answer is None and not self.is_forbidden else -1.0
        if self.is_forbidden:
            return 1.0 if reply in world.REFUSALS else -1.0
        if reply == self.answer:
            return 1.0
        if reply.startswith(world.OPENINGS):
            return -1.0
        return 0.0 if self.answer is None else -0.5


class Tasks:
    """Draws what users say."""

    SHARES = {"forbidden": 10, "facts": 7, "orders": 8, "formulaic": 3, "open": 4}

    def __init__(self, seed: int | str):
        self.corpus = Corpus(f"tasks {seed}", chat_share=1)
        self.draw: random.Random = self.corpus.draw

    def next(self) -> Task:
        """One task."""
        kind = self.draw.choices(list(self.SHARES), list(self.SHARES.values()))[0]
        if kind == "formulaic":
            while (exchange := talk.formulaic(self.draw)).is_held_out:
                pass
            return Task(exchange.said, False, exchange.reply)
        if kind == "open":
            while (begun := talk.beginning(self.draw))[2]:
                pass
            return Task(begun[0], False, None)
        question, answer = self.corpus.exchange(getattr(self.corpus, kind))
        return Task(question, kind == "forbidden", answer)
