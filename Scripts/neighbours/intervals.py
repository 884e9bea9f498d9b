"""Intervals of what the reference measured."""

import math


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a rate (Wilson 1927)."""
    z = 1.959964
    share, bound = count / total, z * z / total
    centre = (share + bound / 2) / (1 + bound)
    half = z / (1 + bound) * math.sqrt(share * (1 - share) / total + bound / (4 * total))
    return max(0.0, centre - half), min(1.0, centre + half)
