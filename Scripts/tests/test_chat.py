#!/usr/bin/env python3
"""Tests of the reduction of chat templates: plain unittest, no torch. Run: python Scripts/tests/test_chat.py"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import chat as reduction
from neighbours.chat import assemble, reduce_chat

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}"
    "{% endif %}{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}")
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}"
    "{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('only user and assistant') }}{% endif %}{% endfor %}")
LLAMA3 = (
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}")
LAST_TURN = "{% for m in messages %}[{{ m.role }}{{ '!' if loop.last }}]{{ m.content }}\n{% endfor %}"
SPECIAL = {"bos_token": "<s>", "eos_token": {"content": "</s>"}}


class Chat(unittest.TestCase):
    """Templates reduced to plain segments, or refused."""

    def reduce(self, template: str) -> dict:
        return reduce_chat({"chat_template": template} | SPECIAL)

    def test_chatml(self) -> None:
        self.assertEqual(self.reduce(CHATML), {
            "format": 1, "reducible": True, "bos": "",
            "default_system": "<|im_start|>system\nBe brief.<|im_end|>\n",
            "system": {"prefix": "<|im_start|>system\n", "suffix": "<|im_end|>\n"},
            "user": {"prefix": "<|im_start|>user\n", "suffix": "<|im_end|>\n"},
            "assistant": {"prefix": "<|im_start|>assistant\n", "suffix": "<|im_end|>\n"},
            "generation_prompt": "<|im_start|>assistant\n"})

    def test_a_bos_that_begins_each_turn_is_not_taken_for_bos(self) -> None:
        chat = reduce_chat({"chat_template": CHATML, "bos_token": "<|im_start|>"})
        self.assertEqual((chat["bos"], chat["system"]["prefix"]), ("", "<|im_start|>system\n"))

    def test_mistral(self) -> None:
        chat = self.reduce(MISTRAL)
        self.assertEqual((chat["format"], chat["bos"], chat["default_system"], chat["system"]), (2, "<s>", "", None))
        self.assertIn("roles must alternate", chat["system_reason"])
        self.assertEqual(chat["user"], {"prefix": "[INST] ", "suffix": " [/INST]"})
        self.assertEqual(chat["assistant"], {"prefix": "", "suffix": "</s>"})
        self.assertEqual(chat["generation_prompt"], "")

    def test_llama2_strips_and_folds_the_system_message_into_the_user_turn(self) -> None:
        chat = self.reduce(LLAMA2)
        self.assertEqual((chat["format"], chat["bos"], chat["system"]), (2, "", None))
        self.assertEqual(chat["user"], {"prefix": "<s>[INST] ", "suffix": " [/INST]", "trim": True})
        self.assertEqual(chat["assistant"], {"prefix": " ", "suffix": " </s>", "trim": True})
        self.assertEqual(assemble(chat, [{"role": "user", "content": " hi "}]), "<s>[INST] hi [/INST]")

    def test_llama3_strips(self) -> None:
        chat = self.reduce(LLAMA3)
        self.assertEqual((chat["format"], chat["bos"], chat["default_system"]), (2, "<s>", ""))
        self.assertTrue(all(chat[role]["trim"] for role in ("system", "user", "assistant")))
        self.assertEqual(chat["system"]["prefix"], "<|start_header_id|>system<|end_header_id|>\n\n")

    def test_not_reducible(self) -> None:
        for why, template in (
                ("depends on the conversation", LAST_TURN),
                ("date", CHATML.replace("Be brief.", "Today is ' + strftime_now('%d %B %Y') + '.")),
                ("changed", CHATML.replace("message['content']", "message['content'] | replace('<think>', '')")),
                ("more than once", CHATML.replace("message['content']", "message['content'] + message['content']")),
                ("compile", "{% for %}"), ("fails", "{{ raise_exception('no') }}"), 
                ("does not show every message", "hello"),
                ("fails", "{{ messages.__class__.__mro__[1].__subclasses__() }}"),
                ("takes more than", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")):
            with self.subTest(template[:60]):
                if "takes more" in why:
                    self.addCleanup(setattr, reduction, "SECONDS", reduction.SECONDS)
                    reduction.SECONDS = 0.2
                got = self.reduce(template)
                self.assertEqual((got["format"], got["reducible"]), (1, False))
                self.assertIn(why, got["reason"])

    def test_no_template(self) -> None:
        self.assertIsNone(reduce_chat({"eos_token": "</s>"}))

    def test_named_templates(self) -> None:
        named = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": CHATML}]
        self.assertTrue(reduce_chat({"chat_template": named})["reducible"])


if __name__ == "__main__":
    unittest.main()
