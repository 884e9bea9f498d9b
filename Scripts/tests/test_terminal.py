#!/usr/bin/env python3
"""Drives nacre as a user at a terminal does: through a pseudo-terminal. Standard library only.

Run: python Scripts/tests/test_terminal.py, or with the rest: python -m unittest discover -s Scripts/tests
"""

import os
import pty
import re
import select
import signal
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("NACRE_BINARY", ROOT / ".build/debug/nacre"))
MODEL = "Tests/Fixtures/models/tiny-chat.h5"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x07|\x01|\x02|\r")


class Terminal:
    """nacre in a pseudo-terminal of 24 x 100."""

    def __init__(self, *arguments: str, folder: str):
        self.history = Path(folder) / "state/history"
        environment = dict(os.environ, TERM="xterm", NACRE_HISTORY=str(self.history), PAGER="cat", LC_ALL="C.UTF-8",
                           INPUTRC="/dev/null")
        environment.pop("NO_COLOR", None)
        self.seen = ""
        self.raw = b""
        self.child, self.descriptor = pty.fork()
        if self.child == 0:
            os.chdir(ROOT)
            subprocess.run(["stty", "rows", "24", "cols", "100"], check=False)
            os.execve(BINARY, [str(BINARY), "--no-init", *arguments], environment)

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """Reads until `text` shows; what came before and with it."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.descriptor], [], [], left)[0]:
                raise AssertionError(f"{text!r} did not show within {seconds} s; there is {self.seen!r}")
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"nacre left before {text!r}; there is {self.seen!r}")
            self.raw += data
            self.seen += ESCAPES.sub("", data.decode("utf-8", "replace"))
        shown, self.seen = self.seen.split(text, 1)
        return shown + text

    def send(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def control(self, key: str) -> None:
        """Sends a control key after what was typed has been read: the kernel drops what waits when it comes."""
        time.sleep(0.3)
        self.send(key)
        time.sleep(0.3)

    def leave(self) -> int:
        """The exit code, once nacre has left."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            done, status = os.waitpid(self.child, os.WNOHANG)
            if done:
                os.close(self.descriptor)
                return os.waitstatus_to_exitcode(status)
            if select.select([self.descriptor], [], [], 0.05)[0]:
                try:
                    os.read(self.descriptor, 65536)
                except OSError:
                    pass
        os.kill(self.child, signal.SIGKILL)
        raise AssertionError("nacre did not leave")


@unittest.skipUnless(BINARY.exists(), f"{BINARY} is not built")
class TerminalTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def start(self, *arguments: str) -> Terminal:
        terminal = Terminal(*arguments, folder=self.folder)
        terminal.wait_for("> ")
        return terminal

    def test_a_session(self):
        terminal = self.start()
        terminal.send(f"open {MODEL}\n")
        terminal.wait_for("parameters")
        terminal.wait_for("tiny-chat> ")
        # A verb may be shortened at the prompt.
        terminal.send("tok hello\n")
        terminal.wait_for('"hell"')
        terminal.wait_for("tiny-chat> ")
        terminal.send("nonsense\n")
        terminal.wait_for("error: there is no command nonsense")
        terminal.wait_for("tiny-chat> ")
        terminal.send("exit 5\n")
        self.assertEqual(terminal.leave(), 5)
        self.assertEqual(terminal.history.read_text(), f"open {MODEL}\ntok hello\nnonsense\nexit 5\n")
        self.assertEqual(stat.S_IMODE(terminal.history.stat().st_mode), 0o600)

    def test_completion(self):
        terminal = self.start(MODEL)
        terminal.send("gen\t")
        terminal.wait_for("generate ")
        terminal.send("hello --tok\t")
        terminal.wait_for("--tokens ")
        terminal.send("2\n")
        terminal.wait_for("tiny-chat> ")
        terminal.send("capture resid_p\t\t")
        shown = terminal.wait_for("resid_pre[")
        self.assertIn("resid_post[", shown + terminal.seen)
        terminal.control("\x03")
        terminal.wait_for("^C")
        terminal.wait_for("tiny-chat> ")
        terminal.send("open Tests/Fix\t")
        terminal.wait_for("Tests/Fixtures/")
        terminal.control("\x03")
        terminal.wait_for("^C")
        terminal.wait_for("tiny-chat> ")
        terminal.send("use tin\t")
        terminal.wait_for("use tiny-chat")
        terminal.send("\n")
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_ctrl_c_cancels_a_command_and_keeps_the_session(self):
        prompts = Path(self.folder) / "prompts.txt"
        prompts.write_text("".join(f"prompt number {i} and some more words to read\n" for i in range(60_000)))
        out = Path(self.folder) / "acts.h5"
        terminal = self.start(MODEL)
        terminal.send(f"p = prompts {prompts}\n")
        terminal.wait_for("60000 prompts")
        terminal.wait_for("tiny-chat> ")
        terminal.send(f"acts = capture resid_post[*] mlp.post[*] --prompts p --at all --to {out}\n")
        # Progress shows on the terminal while it runs.
        terminal.wait_for("token-layers")
        start = time.monotonic()
        terminal.send("\x03")
        terminal.wait_for("interrupted")
        self.assertLess(time.monotonic() - start, 1.0)
        terminal.wait_for("tiny-chat> ")
        self.assertEqual(sorted(os.listdir(self.folder)), ["prompts.txt", "state"])
        terminal.send("list\n")
        shown = terminal.wait_for("tiny-chat> ")
        self.assertNotIn("acts", shown)
        terminal.send("tokens hello\n")
        terminal.wait_for('"hell"')
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_a_signal_leaves_no_unfinished_file(self):
        prompts = Path(self.folder) / "prompts.txt"
        prompts.write_text("".join(f"prompt number {i} and some more words to read\n" for i in range(60_000)))
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)):
            process = subprocess.Popen(
                [BINARY, "--no-init", MODEL], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                stdin=subprocess.PIPE,
                # Under nohup this process ignores SIGHUP, and a program that is started so goes on ignoring it.
                preexec_fn=lambda number=number: signal.signal(number, signal.SIG_DFL))
            process.stdin.write(
                f"p = prompts {prompts}\n"
                f"capture resid_post[*] mlp.post[*] --prompts p --at all --to {self.folder}/acts.h5\n".encode())
            process.stdin.close()
            end = time.monotonic() + 20
            while not any("acts" in name for name in os.listdir(self.folder)) and time.monotonic() < end:
                time.sleep(0.02)
            process.send_signal(number)
            self.assertEqual(process.wait(20), code)
            self.assertEqual(os.listdir(self.folder), ["prompts.txt"])

    def test_a_text_goes_to_its_file_and_not_to_the_screen(self):
        terminal = self.start(MODEL)
        out = Path(self.folder) / "out.txt"
        terminal.send(f"generate hello --tokens 5 > {out}\n")
        terminal.wait_for("tiny-chat> ")
        terminal.send("generate hello --tokens 5\n")
        terminal.wait_for("tiny-chat> ")
        self.assertGreater(len(out.read_text()), 2)
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_a_stop_string_never_shows(self):
        terminal = self.start(MODEL)
        terminal.send("generate hello --tokens 60 --repetition-penalty 1.3\n")
        text = terminal.wait_for("tiny-chat> ").split("\n")[1]
        self.assertIn(" on>N", text)
        # Tokens part before and after the >.
        terminal.send("generate hello --tokens 60 --repetition-penalty 1.3 --stop 'n>N'\n")
        self.assertEqual(terminal.wait_for("tiny-chat> ").split("\n")[1], text[: text.index("n>N")])
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_ctrl_c_keeps_the_continuations_there_are(self):
        terminal = self.start(MODEL)
        terminal.send("r = generate hello --tokens 120 --temperature 1 --count 10000\n")
        terminal.wait_for(" left")
        start = time.monotonic()
        terminal.send("\x03")
        shown = terminal.wait_for("interrupted after")
        self.assertLess(time.monotonic() - start, 2.0)
        self.assertIn("[0] ", shown)
        self.assertIn("interrupted", shown)
        self.assertNotIn("[9999] ", shown)
        terminal.wait_for("tiny-chat> ")
        terminal.send("list\n")
        self.assertIn("report", terminal.wait_for("tiny-chat> "))
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_ctrl_c_ends_a_replay_and_keeps_the_session_and_the_transcript(self):
        prompts = Path(self.folder) / "prompts.txt"
        prompts.write_text("".join(f"prompt number {i} and some more words to read\n" for i in range(60_000)))
        transcript = Path(self.folder) / "long.transcript"
        text = f"n> open {MODEL}\nn> p = prompts {prompts}\nn> capture resid_post[*] --prompts p --at all\nn> mode\n"
        transcript.write_text(text)
        terminal = self.start()
        terminal.send("let kept = yes\n")
        terminal.wait_for("> ")
        terminal.send(f"replay {transcript} --update\n")
        terminal.wait_for("token-layers")
        start = time.monotonic()
        terminal.send("\x03")
        terminal.wait_for(f"interrupted at {transcript}:3; this session and the file are as they were")
        self.assertLess(time.monotonic() - start, 2.0)
        terminal.wait_for("nacre> ")
        self.assertEqual(transcript.read_text(), text)
        self.assertEqual(sorted(os.listdir(self.folder)), ["long.transcript", "prompts.txt", "state"])
        terminal.send("list\n")
        terminal.wait_for("nothing has a name yet")
        terminal.send("let\n")
        terminal.wait_for("kept")
        # At the prompt shell commands are allowed, but a transcript may come from anywhere; --update is permission.
        transcript.write_text("n> mode | cat\n")
        terminal.send(f"replay {transcript} --update\n")
        terminal.wait_for("is rewritten")
        terminal.wait_for("nacre> ")
        self.assertIn("stdin:1: shell commands are off", transcript.read_text())
        terminal.send(f"replay {transcript}\n")
        terminal.wait_for("holds")
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_the_values_of_reports_complete(self):
        terminal = self.start(MODEL)
        terminal.send("tokens hello > /dev/null\nr = next hello --top 1 > /dev/null\n")
        terminal.wait_for("/dev/null")
        terminal.wait_for("tiny-chat> ")
        terminal.send("expect r.en\t")
        terminal.wait_for("r.entropy")
        terminal.send("> 1\n")
        terminal.wait_for("holds: 4.728 > 1")
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_an_interrupted_pipe_ends(self):
        process = subprocess.Popen([BINARY, "--no-init"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"mode\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"table\n")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        process.stdin.close()
        process.stdout.close()

    def test_ctrl_c_clears_the_line(self):
        terminal = self.start()
        terminal.send("exit 3")
        terminal.control("\x03")
        terminal.wait_for("^C")
        terminal.wait_for("nacre> ")
        terminal.send("mode\n")
        terminal.wait_for("table")
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_a_command_goes_on_over_lines(self):
        terminal = self.start(MODEL)
        terminal.send('tokens "two\n')
        terminal.wait_for("...")
        terminal.send('lines"\n')
        terminal.wait_for("\\n")
        terminal.control("\x04")
        terminal.leave()

    def test_names_from_outside_reach_the_terminal_escaped(self):
        terminal = self.start()
        hostile = Path(self.folder) / "evil\x1b[31m.h5"
        hostile.write_bytes(b"not HDF5")
        terminal.send(f"open {self.folder}/ev\t")
        time.sleep(0.5)
        terminal.send("\n")
        terminal.wait_for("error:")
        terminal.wait_for("nacre> ")
        self.assertIn(b"evil", terminal.raw)
        self.assertNotIn(b"\x1b[31m", terminal.raw)
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)

    def test_kind_b_a_file_has_the_rights_that_were_typed_and_no_more(self):
        folder = Path(self.folder)
        victim, pwned = folder / "victim", folder / "pwned"
        victim.write_text("precious\n")
        scripts = {"shell": f"list | touch {pwned}\n", "replace": f"mode > {victim}\n", "add": f"mode >> {victim}\n",
                   "outer": f"source {folder}/replace.nacre\n", "given": f"source {folder}/replace.nacre --overwrite\n"}
        for name, text in scripts.items():
            (folder / f"{name}.nacre").write_text(text)
        terminal = self.start()
        for name in scripts:
            terminal.send(f"source {folder}/{name}.nacre\n")
            terminal.wait_for(f"{'replace' if name == 'outer' else name}.nacre:1: ")
            terminal.wait_for("nacre> ")
        self.assertEqual(victim.read_text(), "precious\n")
        self.assertFalse(pwned.exists())
        # What is typed may do all, and gives a file what it names.
        terminal.send(f"source {folder}/outer.nacre --overwrite\n")
        terminal.wait_for("nacre> ")
        terminal.send(f"source {folder}/shell.nacre --overwrite\n")
        terminal.wait_for("shell commands are off in scripts")
        terminal.send(f"source {folder}/shell.nacre --allow-shell\n")
        terminal.wait_for("nacre> ")
        terminal.send(f"mode >> {victim}\n")
        terminal.wait_for("nacre> ")
        terminal.control("\x04")
        self.assertEqual(terminal.leave(), 0)
        self.assertEqual(victim.read_text(), "table\ntable\n")
        self.assertTrue(pwned.exists())

    def test_kind_h_nothing_from_a_script_reaches_the_terminal_as_a_control_sequence(self):
        script = Path(self.folder) / "evil.nacre"
        script.write_text("# \x1b]52;c;QQ==\x07\nlet x = '\x1b[31mred'\nlet\nset mode csv\nlet\nnonsense\x1b[2J\n")
        terminal = Terminal("--echo", "-f", str(script), folder=self.folder)
        terminal.wait_for("there is no command")
        self.assertNotEqual(terminal.leave(), 0)
        for sequence in (b"\x1b]", b"\x1b[31m", b"\x1b[2J", b"\x07"):
            self.assertNotIn(sequence, terminal.raw)
        usage = Terminal("--x\x1b]52;c;QQ==\x07", folder=self.folder)
        usage.wait_for("--x")
        usage.leave()
        self.assertNotIn(b"\x1b]", usage.raw)


if __name__ == "__main__":
    unittest.main()
