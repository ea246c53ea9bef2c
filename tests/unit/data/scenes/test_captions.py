"""Captions: every token has synonyms, its nearest words are those, and the kinds of words keep apart."""

import os
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from filterscope.data.scenes import captions
from filterscope.data.scenes.captions import REMINDERS, CaptionsSettings
from filterscope.data.scenes.words import COLOURS, SHAPES, SYNONYMS, TEXTURES, TOKENS
from filterscope.data.vocabularies.vector_files import VocabularySettings, read_vectors
from filterscope.data.vocabularies.vocabulary import without_common_component
from filterscope.words.explaining.novelty import fold

KINDS = (tuple(COLOURS), TEXTURES, SHAPES)


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    return captions.write_captions(30000, seed=5)


SPENT = []  # seconds of a processor


@pytest.fixture(scope="module")
def learnt(sentences) -> dict[str, np.ndarray]:
    """Unit vectors without what all have in common, as the vocabulary of the study holds them."""
    began = time.process_time()
    words, vectors = captions.learn_vectors(sentences, dimension=48, epochs=8, seed=5)
    SPENT.append(time.process_time() - began)
    vectors = without_common_component(vectors, 0)
    return dict(zip(words, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), strict=True))


def test_learning_takes_less_than_a_minute_so_that_it_need_not_go_on_after_a_kill(sentences, learnt, default_config):
    asked = CaptionsSettings(**default_config()["vocabularies"]["captions"])
    assert SPENT[0] * asked.sentences * asked.epochs / (len(sentences) * 8) < 60


def test_synonyms_are_new_words():
    synonyms = [word for words in SYNONYMS.values() for word in words]
    assert set(SYNONYMS) == set(REMINDERS) == set(TOKENS)
    assert min(len(words) for words in SYNONYMS.values()) >= 1
    assert len(set(synonyms)) == len(synonyms)
    assert not set(synonyms) & set(TOKENS)
    assert not {fold(word) for word in synonyms} & {fold(token) for token in TOKENS}


def test_reminders_and_fillers_are_neither_tokens_nor_synonyms(sentences):
    named = {*TOKENS, *(word for words in SYNONYMS.values() for word in words)}
    reminders = [word for words in REMINDERS.values() for word in words]
    assert len(set(reminders)) == len(reminders)
    assert not set(reminders) & named
    counts = Counter(word for sentence in sentences for word in sentence.split())
    assert named <= set(counts)
    assert min(counts[word] for word in named) > 200
    fillers = set(counts) - named - set(reminders)
    assert len(fillers) > 200
    assert all(word.isalpha() and word.islower() for word in counts)


def test_the_nearest_words_of_a_token_are_its_synonyms(learnt):
    words, vectors = list(learnt), np.stack(list(learnt.values()))
    for token, synonyms in SYNONYMS.items():
        order = np.argsort(-(vectors @ learnt[token]))
        assert words[order[0]] == token
        assert {words[index] for index in order[1 : 1 + len(synonyms)]} == set(synonyms)


def test_a_token_is_the_purest_name_of_what_sets_it_apart(learnt):
    """An explainer learns what tells a token from the others of its kind; the token itself must fit that best."""
    for kind in KINDS:
        for token in kind:
            apart = learnt[token] - np.mean([learnt[other] for other in kind if other != token], axis=0)
            best = max(learnt, key=lambda word, apart=apart: learnt[word] @ apart)
            assert best == token


def test_colours_textures_and_shapes_are_groups_of_their_own(learnt):
    vectors = np.stack([learnt[token] for token in TOKENS])
    cosines = vectors @ vectors.T
    of_kind = np.repeat(range(3), [len(kind) for kind in KINDS])
    same = of_kind[:, None] == of_kind[None, :]
    nearer = 0
    for row in range(len(TOKENS)):
        others = np.arange(len(TOKENS)) != row
        nearer += cosines[row, same[row] & others].mean() > cosines[row, ~same[row]].mean() + 0.1
    assert nearer == len(TOKENS)


def test_the_first_sentences_do_not_depend_on_how_many_there_are(sentences):
    assert captions.write_captions(50, seed=5) == sentences[:50]
    assert captions.write_captions(50, seed=6) != sentences[:50]


def test_every_process_learns_the_same_vectors():
    program = (
        "import hashlib; from filterscope.data.scenes import captions; "
        "words, vectors = captions.learn_vectors(captions.write_captions(400, 1), 8, 2, 1); "
        "print(hashlib.sha256(captions.as_text(words, vectors).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_text_is_read_back(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    path = tmp_path / "trained.txt"
    path.write_text(captions.as_text(["red", "blue", "green"], vectors))
    words, read = read_vectors(path, VocabularySettings(source="captions"))
    assert words == ["red", "blue", "green"]
    np.testing.assert_allclose(read, vectors, rtol=1e-5)


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="sentences is 0"):
        CaptionsSettings(sentences=0)
    with pytest.raises(ValueError, match="no sentences"):
        captions.learn_vectors([], 4, 1, 0)


RED_RING = {"colour": "red", "texture": "dotted", "shape": "ring"}
BLUE_STAR = {"colour": "blue", "texture": "plain", "shape": "star"}
OTHERS = {token: {token, *SYNONYMS[token], *REMINDERS[token]} for token in TOKENS}


def kinds_told(text, tokens):
    """Of which tokens a caption has a name or a reminder."""
    words = set(text.split())
    return {token for token in tokens if words & OTHERS[token]}


def test_a_caption_tells_of_the_pictures_objects_and_of_nothing_else():
    generator = np.random.default_rng(0)
    for objects in ([RED_RING], [RED_RING, BLUE_STAR]):
        own = {token for each in objects for token in each.values()}
        told = [kinds_told(captions.describe(objects, generator), TOKENS) for _ in range(300)]
        assert set().union(*told) == own
        assert all(any(set(each.values()) <= one for each in objects) for one in told)
    assert {"red", "blue"} <= set().union(*told)


def test_captions_of_a_picture_differ_and_some_liken_and_digress():
    generator = np.random.default_rng(0)
    texts = [captions.describe([RED_RING], generator) for _ in range(400)]
    assert len(set(texts)) > 350
    words = [set(text.split()) for text in texts]
    likened = np.mean([bool(each & {*REMINDERS["red"], *REMINDERS["dotted"], *REMINDERS["ring"]}) for each in words])
    assert likened == pytest.approx(0.5, abs=0.08)
    assert np.mean([bool(each & set(captions._FILLERS["thing"])) for each in words]) == pytest.approx(0.3, abs=0.08)


def test_a_picture_without_objects_has_no_caption():
    with pytest.raises(ValueError, match="no caption"):
        captions.describe([], np.random.default_rng(0))


def test_objects_are_read_from_their_tokens():
    assert captions.kinds_of(["star", "plain", "blue"]) == BLUE_STAR
    with pytest.raises(ValueError, match=r"tokens \['person'\], should have one colour of red"):
        captions.kinds_of(["person"])
