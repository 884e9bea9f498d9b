"""Twenty words with two senses each. What tells the senses apart always stands before the word.

A sense has places, verbs, qualities and endings; a context is `PLACE, PERSON VERB the QUALITY WORD`, or a shorter form
of it, and only the ending may follow the word. Every place, verb and quality points at its sense.
"""

import itertools
from dataclasses import dataclass

import world


@dataclass(frozen=True)
class Sense:
    """One sense of a word, and what is said around it."""

    word: str
    name: str
    places: tuple[str, ...]
    verbs: tuple[str, ...]
    qualities: tuple[str, ...]
    endings: tuple[str, ...]


# word / sense: places | verbs | qualities | endings, each separated by commas.
TABLE = """
apple / fruit: in the orchard, under the tree, at the fruit stall, in the kitchen | peeled, bit into, picked, washed | ripe, juicy, sour, rosy | and ate it, and it tasted sweet, before it fell, and threw away the core
apple / phone: in the phone shop, at the office, on the train to work, beside the charger | switched on, charged, dialled with, unlocked | broken, brand new, cracked, ringing | and called home, and the screen lit up, to read a message, because the battery was low
bank / river: by the river, near the ferry, at the ford, along the stream | climbed, slid down, walked along, fished from | muddy, grassy, steep, flooded | and fell into the water, where the reeds grew, to watch the boats, and saw a trout
bank / money: on market day, in the city, with a bag of coins, after payday | paid money into, borrowed from, opened an account at, robbed | rich, trusted, royal, locked | and got a receipt, because the loan was cheap, to save for a house, and counted the coins
bat / animal: in the dark cave, at dusk, in the church tower, under the roof at night | watched, was frightened by, counted the wings of, heard | flying, furry, hungry, sleeping | as it hunted moths, hanging upside down, with its thin wings, and it flew away
bat / club: on the sports field, during the match, in the last inning, at practice | swung, gripped, hit the ball with, oiled | wooden, heavy, cracked, borrowed | and scored a run, and missed the ball, before the game, until the team won
crane / bird: in the marsh, by the lake, among the reeds, in early spring | watched, drew the feathers of, heard the call of, fed | long-legged, white, nesting, dancing | as it spread its wings, standing on one leg, before it flew south, with its grey chick
crane / machine: on the building site, at the harbour, beside the new tower, at the shipyard | drove, operated, repaired, lifted the steel with | tall, rusty, iron, hydraulic | and lowered the beam, to unload the ship, until the engine stopped, with its long hook
seal / animal: on the icy beach, off the northern coast, at the zoo pool, on the rocks | fed a fish to, swam beside, photographed, rescued | barking, wet, fat, playful | and it dived, with its round eyes, as it caught a herring, before it swam away
seal / stamp: in the office of the clerk, before the judge, at the writing desk, in the castle hall | pressed, broke, stamped the letter with, forged | wax, royal, official, secret | and sent the letter, to close the deed, with the sign of the king, before signing it
spring / season: after the long winter, when the snow melted, in the garden, as the days grew longer | welcomed, waited for, celebrated, enjoyed | early, warm, late, green | and planted seeds, when the birds came back, and the flowers opened, until summer came
spring / coil: in the workshop, inside the clock, under the mattress, in the machine | replaced, stretched, oiled, bent | steel, rusty, coiled, tight | and it snapped back, to mend the watch, until the wire broke, with a pair of pliers
mouse / animal: in the barn, behind the cheese, in the pantry, near the cat | chased, caught, trapped, fed crumbs to | frightened, tiny, grey-furred, squeaking | and it ran into a hole, with its long tail, as it nibbled the cheese, before the cat came
mouse / device: at the computer, beside the keyboard, in front of the screen, at the desk | clicked, plugged in, moved the pointer with, unplugged | wireless, optical, broken, cordless | to open the file, and the cursor jumped, until the cable broke, and closed the window
jaguar / animal: in the jungle, by the forest pool, deep in the rain forest, at the zoo | tracked, feared, hid from, saw the spots of | spotted, prowling, hungry, wild | as it hunted deer, with its sharp claws, before it leapt, and it growled
jaguar / car: on the motorway, at the garage, in the car park, at the race track | drove, parked, overtook, filled the tank of | fast, polished, second-hand, red sports | and changed gear, until the engine roared, to sell it, with its leather seats
plant / green: in the greenhouse, on the window sill, in the flower bed, in the garden | watered, potted, pruned, grew | leafy, thirsty, flowering, wilted | and its leaves opened, until it bloomed, with its deep roots, in fresh soil
plant / factory: in the industrial zone, at the end of the shift, near the smoking chimneys, beside the power lines | managed, built, closed, worked the night shift at | chemical, power, steel, polluting | and fired the workers, to make more cars, until the strike, with its loud machines
pitch / music: in the choir, at the piano, during the song, in the concert hall | sang at, tuned the violin to, held, listened for | high, perfect, low, musical | and the choir joined in, until the note was true, without a wrong note, as the music began
pitch / field: before the kick-off, at the stadium, after the football match, in front of the fans | ran onto, mowed, left, sprinted across | muddy, football, wet, sports | and scored a goal, as the fans cheered, until the whistle blew, with the whole team
bark / tree: in the forest, beside the old oak, under the pine, in the wood | peeled, carved, touched, scraped | rough, mossy, brown, birch | of the trunk, and the sap ran, to make a roof, where the beetles lived
bark / dog: behind the gate, near the kennel, when the stranger came, in the farm yard | heard, feared, answered, woke at | loud, angry, warning, growling | of the hound, and the puppy ran, until the dog slept, as the dog wagged its tail
palm / hand: while shaking hands, in the glove, at the fortune teller, with open fingers | opened, rubbed, read the lines of, scratched | sweaty, callused, left, outstretched | and closed the fist, of the hand, with the thumb, to show the coin
palm / tree: on the tropical beach, at the oasis, in the desert, on the island | climbed, rested under, cut the fronds of, watered | tall, coconut, swaying, date | and picked a coconut, in the hot wind, for its shade, beside the lagoon
trunk / elephant: at the circus, beside the elephant, on the savanna, in the zoo | watched the elephant lift, sprayed water from, stroked, fed peanuts to | grey, wrinkled, curling, long-nosed | and it trumpeted, as it drank, to reach the leaves, with its big ears
trunk / case: at the station, before the voyage, in the attic, on the luggage cart | packed, locked, carried, unpacked the clothes from | leather, heavy travelling, dusty, old sailor's | and took the train, with brass locks, full of coats, for the long journey
nail / finger: at the beauty salon, with the file, while washing hands, with small scissors | painted, bit, trimmed, filed | long finger, chipped, polished, little toe | with red varnish, of the thumb, until it bled, to keep it short
nail / metal: at the carpenter's bench, on the roof, with the hammer, in the fence | hammered in, pulled out, straightened, bought | rusty, iron, bent, steel | and hung the picture, to fix the plank, with one blow, in the board
wave / sea: on the open sea, at the beach, in the storm, beyond the reef | surfed, dived under, sailed over, was soaked by | foaming, salty, huge, breaking | and it broke on the sand, as the tide rose, and the boat rocked, with white foam
wave / hand: at the parting, from the train window, across the crowded street, at the school gate | gave, returned, answered, smiled at | friendly, cheerful, shy, farewell | and said goodbye, of the hand, to an old friend, with a smile
organ / music: in the cathedral, at the mass, during the hymn, on the church balcony | played, tuned, sang along with, pumped the bellows of | church, pipe, baroque, thundering | and the choir sang, with both feet, as the hymn ended, for the wedding
organ / body: in the hospital, on the operating table, at the clinic, in surgery | transplanted, examined, donated, scanned | vital, failing, diseased, donor | and saved the patient, to stop the bleeding, with a scalpel, for the sick child
scale / fish: in the fish market, on the river boat, at the fishmonger's, beside the net | scraped off, found, rubbed away, washed off | shiny, slimy, silver fish, loose | of the carp, with a knife, from the fin, and gutted the fish
scale / weight: in the grocer's shop, at the post counter, in the chemist's shop, at the scrap dealer's | weighed flour on, balanced, read, set the weights on | brass weighing, kitchen, exact, tilted | and wrote down the kilos, to weigh a pound, until it balanced, for the parcel
chest / body: at the doctor's, after the long run, in the fever, during the medical check | felt a pain in, listened to, bandaged, rubbed | aching, hairy, wounded, heaving | and breathed deeply, near the heart, with a cough, to help the lungs
chest / box: in the pirate cave, in the cellar, on the treasure island, at the foot of the bed | dug up, opened the lid of, filled, unlocked | buried, oak, treasure, iron-bound | and found gold, with a key, full of linen, to hide the jewels
note / music: on the trumpet, in the orchestra, at the singing lesson, during the solo | sang, played, held, missed | high, flat, sharp, trembling | and the band followed, of the tune, in the last bar, as the melody ended
ring / jewel: at the jeweller's, before the wedding, in the velvet box, for the bride | wore, polished, slipped on, lost | golden, diamond, engagement, ruby | on the finger, with a bright stone, and kissed the bride, to propose
ring / boxing: at the boxing match, after the bell, in the second round, before the fight | climbed into, was knocked out in, stepped out of, cheered beside | boxing, roped, crowded, noisy | and raised the gloves, until the referee counted, in the last round, with a black eye
note / paper: on the fridge, in the envelope, under the door, at the lesson | wrote, read, folded, signed | short written, hasty, scribbled, anonymous | and put it in a pocket, to say thanks, with a pencil, on yellow paper
"""


def senses() -> list[Sense]:
    """All senses, two a word, in the table's order."""
    made = []
    for line in TABLE.strip().splitlines():
        head, rest = line.split(":", 1)
        word, name = (part.strip() for part in head.split("/"))
        parts = [tuple(item.strip() for item in group.split(",")) for group in rest.split("|")]
        made.append(Sense(word, name, *parts))
    return made


def cues(sense: Sense) -> list[tuple[str, str, str]]:
    """Every combination of a place, a verb and a quality; what is empty is left out of the sentence."""
    full = list(itertools.product(sense.places, sense.verbs, sense.qualities))
    return full + [(p, v, "") for p in sense.places for v in sense.verbs] + [
        ("", v, q) for v in sense.verbs for q in sense.qualities]


def is_held_out(sense: Sense, cue: tuple[str, str, str]) -> bool:
    """Whether these cues are together in no document: 40 of 100."""
    return world.share("sense", sense.word, sense.name, *cue) < 0.4


def context(sense: Sense, cue: tuple[str, str, str], person: str) -> str:
    """The sentence up to the word, which ends it."""
    place, verb, quality = cue
    said = f"{person} {verb} the {quality + ' ' if quality else ''}{sense.word}"
    return f"{place[0].upper()}{place[1:]}, {said}" if place else said
