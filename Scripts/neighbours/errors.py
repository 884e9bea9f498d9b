"""The one error that the scripts report in a line, and how a stranger's text is shown in it."""


class NeighbourError(Exception):
    """Something about the input that its owner can mend; printed without a traceback."""


def shown(text: object, limit: int = 200) -> str:
    """`text` with everything unprintable escaped, so that no file writes control sequences to a terminal."""
    out = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return out if len(out) <= limit else out[: limit - 1] + "…"


def oneline(error: BaseException) -> str:
    """The first line of an error from a library, shown safely."""
    lines = str(error).strip().splitlines()
    return shown(lines[0]) if lines else type(error).__name__
