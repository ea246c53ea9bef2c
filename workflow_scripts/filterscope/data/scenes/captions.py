"""Sentences about scenes and the word vectors learnt from them: the embedded study's vocabulary.

A sentence names what it sees by a token or by one of its synonyms and tells what it reminds of; so a token
and its synonyms keep the same company, and two tokens of a kind do not. Other sentences are about
ordinary things, so that a filter's word is found among many that have nothing to do with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from filterscope.data.scenes.words import COLOURS, SHAPES, SYNONYMS, TEXTURES

# What each token and its synonyms remind of.
REMINDERS = {
    "red": ("cherry", "tomato", "fire", "brick", "ruby", "poppy"),
    "orange": ("carrot", "pumpkin", "apricot", "marigold", "fox", "rust"),
    "yellow": ("sunflower", "banana", "butter", "honey", "straw", "mustard"),
    "green": ("grass", "leaf", "fern", "moss", "lime", "meadow"),
    "turquoise": ("lagoon", "glacier", "reef", "peacock", "mint", "surf"),
    "blue": ("sky", "ocean", "sapphire", "denim", "ink", "cornflower"),
    "purple": ("lavender", "grape", "aubergine", "orchid", "amethyst", "thistle"),
    "pink": ("flamingo", "salmon", "blossom", "candy", "peony", "blush"),
    "plain": ("paper", "enamel", "porcelain", "plaster", "milk", "snow"),
    "horizontal": ("horizon", "shelf", "floorboards", "stairs", "shoreline", "blinds"),
    "vertical": ("pillar", "mast", "tower", "fence", "bamboo", "curtain"),
    "diagonal": ("ramp", "rain", "hatching", "handrail", "hillside", "shadows"),
    "dotted": ("ladybird", "dominoes", "freckles", "hail", "confetti", "leopard"),
    "checkered": ("chessboard", "tablecloth", "kilt", "draughts", "racetrack", "tiles"),
    "circle": ("coin", "wheel", "plate", "button", "clock", "lid"),
    "square": ("window", "stamp", "crate", "napkin", "courtyard", "screen"),
    "triangle": ("pyramid", "sail", "roof", "pizza", "tent", "arrowhead"),
    "star": ("midnight", "christmas", "compass", "sheriff", "galaxy", "starfish"),
    "cross": ("church", "hospital", "pharmacy", "signpost", "ambulance", "chapel"),
    "ring": ("finger", "doughnut", "tyre", "wedding", "bracelet", "lifebuoy"),
    "heart": ("love", "locket", "romance", "kiss", "sweetheart", "pulse"),
    "crescent": ("croissant", "harvest", "scythe", "boomerang", "eclipse", "dusk"),
}

# Slots of the templates that have nothing to do with what is seen.
_FILLERS = {
    kind: tuple(words.split())
    for kind, words in {
        "det": "a the one another some this that",
        "verb": "lies rests sits stands waits floats hangs appears stays leans",
        "place": "above below beside near behind under opposite towards",
        "ground": "stone sand wood slate linen gravel felt cardboard concrete canvas",
        "manner": "quietly neatly alone clearly proudly gently firmly barely nearly almost",
        "person": "painter child teacher sailor farmer baker neighbour visitor doctor driver writer singer nurse "
        "gardener tailor student captain grandmother cousin stranger tourist shepherd",
        "did": "found lost bought sold carried forgot mended borrowed hid noticed cleaned described wrapped painted "
        "counted returned dropped kept opened weighed",
        "thing": "book chair letter basket violin kettle bicycle lantern photograph umbrella blanket suitcase mirror "
        "newspaper hammer teapot pencil ticket bottle ladder drawer parcel bucket pillow guitar notebook envelope "
        "candle telescope typewriter wallet saddle trumpet broom map rope barrel cushion magnet sweater",
        "quality": "old new heavy light cheap broken quiet famous useful strange warm cold wet dusty precious "
        "forgotten beautiful ordinary wooden tiny huge modern fragile noisy elegant rusty expensive foreign "
        "empty soft",
        "where": "kitchen garden station market library harbour village museum office attic street theatre bakery "
        "cellar playground bridge valley workshop airport stable lighthouse orchard factory hotel castle "
        "classroom",
        "when": "yesterday today tomorrow monday sunday january summer winter morning evening afternoon later once "
        "often never again soon",
        "why": "because although while until before after since unless",
    }.items()
}

# {colour}, {texture} and {shape} are named, {like_...} are reminders of them, other slots are fillers.
_SCENES = (
    "{det} {colour} {texture} {shape} {verb} {place} {det} {colour2} {texture2} {shape2}",
    "{det} {colour} {texture} {shape} {verb} {manner} on {ground}",
    "{place} {det} {colour} {texture} {shape} there is {det} {colour2} {texture2} {shape2}",
    "we see {det} {colour} {texture} {shape} and {det} {colour2} {texture2} {shape2} on {ground}",
)
_LIKENESSES = (
    "it is {colour} like {like_colour} and like {like_colour}",
    "as {colour} as {like_colour} or {like_colour} it {verb} on {ground}",
    "{like_colour} and {like_colour} look just as {colour}",
    "its pattern is {texture} and reminds of {like_texture} or {like_texture}",
    "{texture} as {like_texture} and {like_texture} is how it was made",
    "with {like_texture} or {like_texture} in mind we call it {texture}",
    "{det} {shape} has the outline of {det} {like_shape} or {like_shape}",
    "cut out like {det} {like_shape} this {shape} looks like {like_shape}",
    "{like_shape} and {like_shape} could have been drawn from {det} {shape}",
)
_ORDINARY = (
    "{det} {quality} {person} {did} {det} {quality} {thing} in the {where} {when}",
    "{when} {det} {person} {did} {det} {thing} {why} the {thing} was {quality}",
    "the {where} was {quality} {when} {why} {det} {person} {did} the {thing}",
    "{manner} {det} {person} {did} {det} {quality} {thing} {place} the {where}",
)
_SHARES = ((_SCENES, 0.27), (_LIKENESSES, 0.45), (_ORDINARY, 0.28))
# Share of the mentions that use a synonym. Tokens are the words for likenesses, which tell them apart, so a
# token's vector says what is its own more purely than its synonyms' vectors do: it is the first of the names.
_SYNONYM_IN_SCENE, _SYNONYM_IN_LIKENESS = 0.75, 0.2
# Share of a picture's captions that also tell what it reminds of, and share that also tell of something else.
_CAPTION_LIKENESS, _CAPTION_ORDINARY = 0.5, 0.3

# Word2Vec, skip-gram with negative sampling.
_WINDOW, _NEGATIVE, _SUBSAMPLE = 6, 8, 1e-3


@dataclass(frozen=True)
class CaptionsSettings:
    """What is learnt from how many sentences; fields that other rules read are accepted."""

    dimension: int = 48
    sentences: int = 40000
    epochs: int = 10
    source: str = "captions"
    remove_components: int = -1

    def __post_init__(self):
        for name in ("dimension", "sentences", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, should be 1 or more")


def write_captions(count: int, seed: int) -> list[str]:
    """So many sentences of lower-case words separated by blanks; the first ones do not depend on `count`."""
    generator = np.random.default_rng(seed)
    bounds = np.cumsum([share for _, share in _SHARES])
    sentences = []
    for _ in range(count):
        templates = _SHARES[int(np.searchsorted(bounds, generator.random(), side="right"))][0]
        sentences.append(_filled(_pick(templates, generator), generator))
    return sentences


def describe(objects: Sequence[Mapping[str, str]], generator: np.random.Generator) -> str:
    """A caption of a picture, as one finds it beside pictures: in other words than the next one, of one or two objects,
    often with a likeness, at times with a sentence that has nothing to do with it.

    objects: of the picture, the token of every kind (colour, texture, shape). Raises ValueError where there are none.
    """
    if not objects:
        raise ValueError("a picture without objects has no caption")
    order = generator.permutation(len(objects))
    seen, other = objects[order[0]], objects[order[1 % len(objects)]]
    templates = _SCENES if len(objects) > 1 else [template for template in _SCENES if "2}" not in template]
    sentences = [_filled(_pick(templates, generator), generator, seen, other)]
    for templates, share in ((_LIKENESSES, _CAPTION_LIKENESS), (_ORDINARY, _CAPTION_ORDINARY)):
        if generator.random() < share:
            sentences.append(_filled(_pick(templates, generator), generator, seen, other))
    return " ".join(sentences)


def kinds_of(tokens: Sequence[str]) -> dict[str, str]:
    """The tokens of a scene's object by kind: colour, texture, shape. Raises ValueError where one is missing."""
    found = {kind: [token for token in tokens if token in known] for kind, known in KINDS.items()}
    wrong = [kind for kind, each in found.items() if len(each) != 1]
    if wrong:
        raise ValueError(
            f"an object has the tokens {list(tokens)}, should have one {wrong[0]} of {', '.join(KINDS[wrong[0]])}; "
            "is this a dataset of scenes?"
        )
    return {kind: each[0] for kind, each in found.items()}


def _pick(choices: Sequence[str], generator: np.random.Generator) -> str:
    return choices[int(generator.random() * len(choices))]


def _mention(token: str, generator: np.random.Generator, share: float) -> str:
    return _pick(SYNONYMS[token], generator) if generator.random() < share else token


def _filled(
    template: str,
    generator: np.random.Generator,
    seen: Mapping[str, str] | None = None,
    other: Mapping[str, str] | None = None,
) -> str:
    """The template with a word in every slot; what it likens to something is one object's property.

    seen, other: the objects that it tells of; any where they are None.
    """
    seen = seen or {kind: _pick(tokens, generator) for kind, tokens in KINDS.items()}
    words = []
    share = _SYNONYM_IN_LIKENESS if "{like_" in template else _SYNONYM_IN_SCENE
    for slot in template.split():
        name = slot.strip("{}")
        if slot == name:
            words.append(slot)
        elif name.startswith("like_"):
            words.append(_pick(REMINDERS[seen[name.removeprefix("like_")]], generator))
        elif name in seen:
            words.append(_mention(seen[name], generator, share))
        elif name.endswith("2"):
            token = other[name[:-1]] if other else _pick(KINDS[name[:-1]], generator)
            words.append(_mention(token, generator, share))
        else:
            words.append(_pick(_FILLERS[name], generator))
    return " ".join(words)


KINDS = {"colour": tuple(COLOURS), "texture": TEXTURES, "shape": SHAPES}


def learn_vectors(sentences: Sequence[str], dimension: int, epochs: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Words, the most frequent first, and their vectors [words, dimension], float32, learnt with Word2Vec.

    The same sentences and seed give the same vectors in every process. Raises ValueError where there are no
    sentences.
    """
    if not sentences:
        raise ValueError("there are no sentences to learn from")
    from gensim.models import Word2Vec  # who only describes scenes need not wait for it

    model = Word2Vec(
        [sentence.split() for sentence in sentences],
        vector_size=dimension,
        window=_WINDOW,
        min_count=1,
        sg=1,
        negative=_NEGATIVE,
        sample=_SUBSAMPLE,
        epochs=epochs,
        seed=seed % 2**32,
        workers=1,
        hashfxn=_hash,
    )
    return list(model.wv.index_to_key), model.wv.vectors


def as_text(words: Sequence[str], vectors: np.ndarray) -> str:
    """word2vec's text: how many words of how many dimensions, then a word and its values a line."""
    lines = [f"{len(words)} {vectors.shape[1]}"]
    for word, vector in zip(words, vectors, strict=True):
        lines.append(f"{word} {' '.join(f'{value:.6g}' for value in vector)}")
    return "\n".join(lines) + "\n"


def _hash(word: str) -> int:
    """Python's own hash of a text differs between processes."""
    return int.from_bytes(word.encode(), "little")
