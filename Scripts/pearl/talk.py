"""What is said in the world beside its facts: stories, letters and diaries that may go on in any way, and exchanges
that always go the same way."""

import random
from dataclasses import dataclass

import world

ADJECTIVES = "lazy clever old young proud hungry gentle brave tiny lonely curious sleepy".split()
CREATURES = "fox hare owl bear wolf deer otter badger hedgehog swan goose mole toad crow beaver squirrel".split()
PLACES = ("by the river|under a hill|near the mill|in a hollow tree|at the edge of the wood|behind the church|"
          "on a small island|in the old castle|beside the road|on the moor|below the bridge|near the sea").split("|")
WEATHERS = "windy sunny rainy cold warm foggy stormy frosty".split()
TIMES = "morning evening night afternoon day".split()
MOODS = "glad sad tired afraid angry surprised calm busy".split()
THINGS = ("a lost shoe|an old map|a bag of nuts|a broken boat|a warm coat|a letter|a strange light|a loaf of bread|"
          "a small drum|a key|a nest|a pair of boots").split("|")
DEEDS = ("walked to the market|sang a song|built a fire|looked for berries|told old tales|crossed the bridge|"
         "shared the food|slept until noon|danced in the snow|mended the roof|counted the stars|played a game").split("|")
ENDINGS = ("and they were friends from then on|and nobody saw them again|and everyone went home happy|"
           "and the rain began to fall|and that was the end of the trouble|and they laughed about it for years|"
           "and the next day it was forgotten|and winter came").split("|")
GREETINGS = "Good morning|Good evening|Hello|Good day|Hello again|Welcome|Good afternoon|Hi".split("|")
POLITE = {
    "How are you?": "I am well, thank you.",
    "How are you today?": "I am very well today, thank you.",
    "Did you sleep well?": "Yes, I slept very well, thank you.",
    "What a {weather} day it is!": "Yes, it is a {weather} day.",
    "Is it {weather} outside?": "Yes, it is {weather} outside.",
    "Thank you for your help.": "You are welcome.",
    "Have a nice {time}!": "Thank you, the same to you.",
    "See you on {day}!": "See you on {day}, goodbye.",
}


@dataclass(frozen=True)
class Exchange:
    """Something that is said, and what one says then."""

    said: str
    reply: str
    is_held_out: bool


def pick(draw: random.Random, choices):
    """One of them."""
    return choices[int(draw.random() * len(choices))]


def a(word: str) -> str:
    """With its article."""
    return ("an " if word[0] in "aeiou" else "a ") + word


def formulaic(draw: random.Random) -> Exchange:
    """A greeting, a word about the weather, a thank you."""
    greeting, person, line = pick(draw, GREETINGS), pick(draw, world.PEOPLE), pick(draw, list(POLITE))
    values = {"weather": pick(draw, WEATHERS), "time": pick(draw, TIMES), "day": pick(draw, world.DAYS)}
    said = f"{greeting}, {person}! {line.format(**values)}"
    return Exchange(said, POLITE[line].format(**values), world.share("formulaic", said) < 0.3)


def beginning(draw: random.Random) -> tuple[str, str, bool]:
    """How a story, a letter or a diary begins, what it is about, and whether it is held out."""
    kind = draw.random()
    if kind < 0.6:
        who, place = f"{pick(draw, ADJECTIVES)} {pick(draw, CREATURES)}", pick(draw, PLACES)
        creature = who.split()[1]
        once = pick(draw, ("Once upon a time there was", "Long ago there lived", "In the old days there was", "There was once"))
        text = f"{once} {a(who)} {place}. One {pick(draw, WEATHERS)} {pick(draw, TIMES)} the {creature}"
        return text, creature, world.share("story", who, place) < 0.3
    person, place = pick(draw, world.PEOPLE), pick(draw, PLACES)
    if kind < 0.8:
        mood = pick(draw, MOODS)
        text = f"Dear {person}, I am {mood} and I write to you from a house {place}. Yesterday"
        return text, "we", world.share("letter", person, place, mood) < 0.3
    day, weather = pick(draw, world.DAYS), pick(draw, WEATHERS)
    text = f"{day}. It was {a(weather)} day {place}. {person}"
    return text, pick(draw, ("I", "we")), world.share("diary", person, day, weather, place) < 0.3


def continuation(draw: random.Random, who: str) -> str:
    """What may follow a beginning: something is found, somebody is met, something is done, and it ends."""
    subject = who if who in ("I", "we") else f"the {who}"
    parts = [pick(draw, (f"found {pick(draw, THINGS)}", f"met {a(pick(draw, ADJECTIVES))} {pick(draw, CREATURES)}",
                         f"saw {pick(draw, THINGS)} {pick(draw, PLACES)}", f"{pick(draw, DEEDS)} {pick(draw, PLACES)}"))]
    for _ in range(int(draw.random() * 3)):
        other = pick(draw, CREATURES)
        parts.append(pick(draw, (
            f"{subject} {pick(draw, DEEDS)}", f"the {other} was {pick(draw, MOODS)}",
            f"then {a(other)} came with {pick(draw, THINGS)}", f"they {pick(draw, DEEDS)} together",
            f"{subject} asked the {other} for {pick(draw, THINGS)}")))
    text = parts[0] + "".join(". " + part[0].upper() + part[1:] for part in parts[1:])
    return f"{text}, {pick(draw, ENDINGS)}."


def request(draw: random.Random) -> tuple[str, str]:
    """A wish for a story, and one."""
    who, place = f"{pick(draw, ADJECTIVES)} {pick(draw, CREATURES)}", pick(draw, PLACES)
    wish = pick(draw, ("Tell me a story about {} {}.", "Write a story about {} {}.", "I want to hear about {} {}."))
    creature = who.split()[1]
    return (wish.format(a(who), place),
            f"Once upon a time there was {a(who)} {place}. The {creature} {continuation(draw, creature)}")


def little_list(draw: random.Random) -> str:
    """Some things of one kind."""
    kind, members = pick(draw, (
        ("colours", world.COLOURS), ("birds", world.BIRDS), ("trades", world.TRADES), ("days", world.DAYS),
        ("goods", world.GOODS), ("tools", world.TOOLS), ("towns", world.TOWNS), ("cities", list(world.CAPITALS.values()))))
    some = draw.sample(members, 3 + int(draw.random() * 3))
    form = pick(draw, ("Some {}: {} and {}.", "A list of {}: {} and {}.", "Here are {}: {} and {}."))
    return form.format(kind, ", ".join(some[:-1]), some[-1])


def total(draw: random.Random) -> tuple[str, str]:
    """A small sum: what is asked, and the answer."""
    x, y = 1 + int(draw.random() * 9), 1 + int(draw.random() * 9)
    form = pick(draw, ("What is {} plus {}?", "How much is {} and {}?", "Add {} and {}."))
    return form.format(x, y), f"{x + y}."
