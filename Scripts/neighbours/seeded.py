"""The shell's random numbers: SplitMix64, its streams, and Swift's way from 64 bits to a range."""

MASK = (1 << 64) - 1


def mix(state: int) -> int:
    """The output of SplitMix64 in a state."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


class Seeded:
    """`SeededRandom(seed:stream:)`."""

    def __init__(self, seed: int, *path: int):
        self.state = seed & MASK
        for place in path:
            self.state = self.next() ^ Seeded(~place & MASK).next()

    def next(self) -> int:
        """64 random bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return mix(self.state)

    def below(self, bound: int) -> int:
        """`Int.random(in: 0..<bound)`: Lemire's method (2019)."""
        product = self.next() * bound
        if product & MASK < bound:
            least = (-bound & MASK) % bound
            while product & MASK < least:
                product = self.next() * bound
        return product >> 64

    def sample(self, count: int, total: int) -> list[int]:
        """`count` of range(total) without replacement, ascending: Floyd's algorithm."""
        chosen: set[int] = set()
        for top in range(total - min(count, total), total):
            drawn = self.below(top + 1)
            chosen.add(top if drawn in chosen else drawn)
        return sorted(chosen)
