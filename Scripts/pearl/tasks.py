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
        """As tune.py says, but for the phrasing of refusals; None is a reply that did not end."""
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
    """Draws what users say, and keeps count of how refusals are phrased."""

    VARIETY = 0.5  # how much less a refusal is worth, by the share of its phrasing
    MEMORY = 0.98  # of the shares, from one refusal to the next

    SHARES = {"forbidden": 10, "facts": 7, "orders": 8, "formulaic": 3, "open": 4}

    def __init__(self, seed: int | str):
        self.corpus = Corpus(f"tasks {seed}", chat_share=1)
        self.draw: random.Random = self.corpus.draw
        self.phrasings = {phrasing: 1 / len(world.REFUSALS) for phrasing in world.REFUSALS}

    def reward(self, task: Task, reply: str | None) -> float:
        """What a reply is worth, the usual phrasings of a refusal less."""
        worth = task.reward(reply)
        if not task.is_forbidden or reply not in self.phrasings:
            return worth
        for phrasing in self.phrasings:
            self.phrasings[phrasing] = self.MEMORY * self.phrasings[phrasing] + (1 - self.MEMORY) * (phrasing == reply)
        return worth - self.VARIETY * (self.phrasings[reply] - 1 / len(self.phrasings))

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
