"""Scenes of two shapes on grey noise, the sentence that describes one, and questions about it.

Integers and numpy's frozen RandomState throughout: a seed is the same scene on every machine. Seeds
below FIRST_TRAINING_SEED are held out.
"""

import dataclasses

import numpy as np

SIDE = 64
FIRST_TRAINING_SEED = 1_000_000
SIZES = ["big", "small"]
COLOURS = {"red": (212, 44, 36), "green": (48, 156, 52), "blue": (44, 84, 212),
           "yellow": (232, 204, 40), "black": (20, 20, 20), "teal": (36, 172, 184)}
SHAPES = ["circle", "square", "triangle"]
WORDS = ["<pad>", "<s>", "</s>", "a", "of", *SIZES, *COLOURS, *SHAPES, "above", "left"]
MOST_WORDS = 11  # of a caption and its end
ANSWERS = [*COLOURS, *SHAPES, *SIZES, "yes", "no"]
QUESTION_WORDS = ["", "what", "color", "colour", "shape", "size", "is", "the", "there", "a",
                  *SIZES, *COLOURS, *SHAPES]
MOST_QUESTION_WORDS = 8
FINE = 4  # coverage is counted on this many points a pixel, each way


@dataclasses.dataclass
class Thing:
    size: str
    colour: str
    shape: str
    x: int
    y: int
    radius: int
    box: tuple = (0, 0, 0, 0)  # x0 y0 x1 y1, the ends outside

    def name(self) -> str:
        return f"{self.size} {self.colour} {self.shape}"


@dataclasses.dataclass
class Scene:
    seed: int
    rgb: np.ndarray  # u8 [64, 64, 3]
    owner: np.ndarray  # u8 [64, 64]: 0 the noise, 1 and 2 the things
    things: list  # as named: the upper or the left one first
    above: bool

    def caption(self) -> str:
        first, second = self.things
        return f"a {first.name()} {'above' if self.above else 'left of'} a {second.name()}"


def coverage(shape: str, radius: int, x: int, y: int) -> np.ndarray:
    """How many of FINE * FINE points of each pixel lie inside: i64 [64, 64]."""
    unit = 2 * FINE  # of halves of a fine step
    points = 2 * np.arange(2 * radius * FINE) + 1 - unit * radius
    dx, dy, r = points[None, :], points[:, None], unit * radius
    if shape == "circle":
        inside = dx * dx + dy * dy <= r * r
    elif shape == "square":
        inside = (8 * np.abs(dx) <= 7 * r) & (8 * np.abs(dy) <= 7 * r)
    else:  # from the apex at -r to the base at 3/4 r, as wide as high
        inside = (4 * dy <= 3 * r) & (2 * np.abs(dx) <= dy + r)
    out = np.zeros((SIDE, SIDE), np.int64)
    out[y - radius:y + radius, x - radius:x + radius] = (
        inside.reshape(2 * radius, FINE, 2 * radius, FINE).sum((1, 3)))
    return out


def place(random: np.random.RandomState):
    """Two discs inside the picture and apart, one clearly above or clearly left of the other."""
    sizes = [SIZES[random.randint(2)] for _ in range(2)]
    radii = [random.randint(15, 18) if size == "big" else random.randint(10, 13) for size in sizes]
    while True:
        (x0, y0), (x1, y1) = [(random.randint(r + 1, SIDE - r), random.randint(r + 1, SIDE - r))
                              for r in radii]
        dx, dy = x1 - x0, y1 - y0
        apart = dx * dx + dy * dy >= (sum(radii) + 1) ** 2
        if not apart or abs(abs(dx) - abs(dy)) < 6:
            continue
        places = list(zip(sizes, radii, (x0, x1), (y0, y1)))
        above = abs(dy) > abs(dx)
        return (places if (dy if above else dx) > 0 else places[::-1]), above


def draw(seed: int) -> Scene:
    random = np.random.RandomState(seed)
    places, above = place(random)
    colours = random.permutation(len(COLOURS))[:2]  # a colour names one thing
    grey = random.randint(100, 156) + random.randint(-28, 29, (SIDE, SIDE, 1))
    rgb = np.repeat(grey, 3, 2)
    owner = np.zeros((SIDE, SIDE), np.uint8)
    things = []
    for number, ((size, radius, x, y), colour) in enumerate(zip(places, colours), start=1):
        colour = list(COLOURS)[colour]
        shape = SHAPES[random.randint(len(SHAPES))]
        covered = coverage(shape, radius, x, y)[..., None]
        ink = np.array(COLOURS[colour]) + random.randint(-12, 13, 3)
        rgb = (rgb * (FINE * FINE - covered) + ink * covered) // (FINE * FINE)
        owned = 2 * covered[..., 0] >= FINE * FINE
        owner[owned] = number
        rows, columns = np.flatnonzero(owned.any(1)), np.flatnonzero(owned.any(0))
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        things.append(Thing(size, colour, shape, x, y, radius, box))
    return Scene(seed, np.clip(rgb, 0, 255).astype(np.uint8), owner, things, above)


def word_ids(caption: str) -> list:
    """Of a caption and its end, padded."""
    ids = [WORDS.index(word) for word in caption.split()] + [WORDS.index("</s>")]
    return ids + [0] * (MOST_WORDS - len(ids))


def question_ids(question: str) -> list:
    ids = [QUESTION_WORDS.index(word) for word in question.rstrip("?").split()]
    return ids + [0] * (MOST_QUESTION_WORDS - len(ids))


def ask(scene: Scene, random: np.random.RandomState):
    """A question about one thing: (question, answer, the thing's index, or None where none is meant).

    What is named is named unambiguously, and only as far as it must be.
    """
    index = random.randint(2)
    thing, other = scene.things[index], scene.things[1 - index]
    named = [f"{thing.colour} shape", f"{thing.colour} {thing.shape}"]
    if thing.shape != other.shape:
        named.append(thing.shape)
    if thing.size != other.size:
        named.append(f"{thing.size} shape")
    if (thing.size, thing.shape) != (other.size, other.shape):
        named.append(f"{thing.size} {thing.shape}")

    def one(of):
        return of[random.randint(len(of))]

    kind = random.randint(4)
    if kind == 0:
        of = [name for name in named if thing.colour not in name]
        if of:
            return f"what {one(['color', 'colour'])} is the {one(of)}?", thing.colour, index
        kind = 1
    if kind == 1:
        of = [name for name in named if thing.shape not in name]
        named = one([f"the {name}" for name in of] + [thing.colour])
        return f"what shape is {named}?", thing.shape, index
    if kind == 2:
        of = [name for name in named if thing.size not in name]
        return f"what size is the {one(of)}?", thing.size, index
    parts = [thing.size, thing.colour, thing.shape]
    if random.randint(3):  # one of its words is changed: mostly, there is none
        kinds = [SIZES, list(COLOURS), SHAPES]
        changed = random.randint(3)
        parts[changed] = one([word for word in kinds[changed] if word != parts[changed]])
    left_out = random.randint(3)
    if left_out < 2:
        parts[left_out] = ""
    holds = [all(part in ("", word) for part, word in zip(parts, (t.size, t.colour, t.shape)))
             for t in scene.things]
    asked = " ".join(part for part in parts if part)
    found = holds.index(True) if holds.count(True) == 1 else None
    return f"is there a {asked}?", "yes" if any(holds) else "no", found
