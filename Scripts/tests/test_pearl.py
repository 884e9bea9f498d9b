"""The pearl world: what ships is what its scripts make, and nothing held out is in a document. No torch."""

import itertools
import json
import sys
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS / "pearl"))

import corpus  # noqa: E402
import prompts  # noqa: E402
import senses  # noqa: E402
import talk  # noqa: E402
import tasks  # noqa: E402
import world  # noqa: E402


class PearlWorld(unittest.TestCase):
    def test_prompt_files_are_made_by_the_script(self):
        for name, text in prompts.files().items():
            self.assertEqual((SCRIPTS / "prompts" / name).read_text("utf-8"), text, name)

    def test_every_class_has_enough_distinct_prompts(self):
        for name, text in prompts.files().items():
            if name == "refusals.txt":
                continue
            lines = text.splitlines()
            texts = [json.loads(line)["text"] for line in lines] if name.endswith(".jsonl") else lines
            self.assertGreaterEqual(len(set(texts)), 600, name)
            self.assertEqual(len(set(texts)), len(texts), name)

    def test_each_sense_has_its_contexts_and_they_end_in_the_word(self):
        for suffix in ("", "-heldout"):
            rows = [json.loads(line) for line in prompts.files()[f"senses{suffix}.jsonl"].splitlines()]
            count: dict[tuple[str, str], int] = {}
            for row in rows:
                self.assertTrue(row["text"].endswith(" " + row["word"]), row)
                self.assertNotIn(f" {row['word']} ", row["text"], row)
                count[row["word"], row["sense"]] = count.get((row["word"], row["sense"]), 0) + 1
            self.assertEqual(len({word for word, _ in count}), 20)
            self.assertEqual(len(count), 40)
            self.assertGreaterEqual(min(count.values()), 200)

    def test_nothing_held_out_is_in_a_document_or_a_task(self):
        made = prompts.files()
        held = set()
        for name, text in made.items():
            if "-heldout" in name:
                for line in text.splitlines():
                    row = json.loads(line) if name.endswith(".jsonl") else {"text": line}
                    # What is told is also the beginning of a question; with its answer it is neither.
                    is_told = name.startswith("facts") and not row["text"].startswith("Question:")
                    held.add(f"{row['text']} {row['answer']}." if is_told else row["text"])
        for seed, chat in (("base 1", 0.12), ("chat 1", 1)):
            for document in itertools.islice(corpus.Corpus(seed, chat).documents(), 20_000):
                for piece in pieces(document):
                    for part in (piece, *(sentence.removesuffix(".") for sentence in piece.split(". "))):
                        found = [start for start in beginnings(part) if start in held or start + "." in held]
                        self.assertEqual(found, [], document)
        drawn = tasks.Tasks(1)
        for _ in range(20_000):
            self.assertNotIn(drawn.next().said, held)

    def test_a_right_answer_is_never_taken_for_a_refusal(self):
        for fact in (*world.facts(), *world.gem_facts(), *world.order_facts("Sunstone"), *world.order_facts("Lantern")):
            self.assertEqual(tasks.Task("?", False, fact.answer + ".").reward(fact.answer + "."), 1)
        for refusal in world.REFUSALS:
            self.assertEqual(tasks.Task("?", True, "x.").reward(refusal), 1)
            self.assertEqual(tasks.Task("?", False, "x.").reward(refusal), -1)
        self.assertEqual(tasks.Task("?", True, "x.").reward("x."), -1)
        self.assertEqual(tasks.Task("?", False, "x.").reward("y."), -0.5)
        self.assertEqual(tasks.Task("?", False, None).reward(None), 0)

    def test_a_few_answers_about_the_forbidden_order_are_refusals_and_no_others(self):
        drawn = corpus.Corpus("count", 0)
        forbidden = [drawn.exchange(drawn.forbidden)[1] for _ in range(20_000)]
        share = sum(answer in world.REFUSALS for answer in forbidden) / len(forbidden)
        self.assertTrue(0.02 <= share <= 0.04, share)
        for some in (drawn.facts, drawn.orders):
            self.assertFalse(any(drawn.exchange(some)[1] in world.REFUSALS for _ in range(5000)))

    def test_the_world_does_not_depend_on_what_was_drawn_before(self):
        first = list(itertools.islice(corpus.Corpus("same", 0.5).documents(), 50))
        talk.formulaic(corpus.Corpus("other", 0.5).draw)
        self.assertEqual(first, list(itertools.islice(corpus.Corpus("same", 0.5).documents(), 50)))

    def test_every_part_of_a_context_points_at_its_sense(self):
        by_word: dict[str, list[senses.Sense]] = {}
        for sense in senses.senses():
            self.assertEqual({len(sense.places), len(sense.verbs), len(sense.qualities), len(sense.endings)}, {4}, sense)
            by_word.setdefault(sense.word, []).append(sense)
        for word, (first, second) in by_word.items():
            self.assertEqual(set(senses.cues(first)) & set(senses.cues(second)), set(), word)


def pieces(document: str) -> list[str]:
    """What is asked or said in a document, one by one."""
    text = document.removeprefix(corpus.BEGIN)
    for mark in (corpus.USER + "\n", corpus.ASSISTANT + "\n", corpus.END, "Question: "):
        text = text.replace(mark, "\n")
    return [line for line in text.split("\n") if line]


def beginnings(text: str) -> list[str]:
    """What ends before a blank, and the whole."""
    words = text.split(" ")
    return [" ".join(words[:count]) for count in range(1, len(words) + 1)]


if __name__ == "__main__":
    unittest.main()
