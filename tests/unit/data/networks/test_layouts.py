"""Where an output has its filters is seen, whatever the network: held against what the modules are known to do."""

import os
import subprocess
import sys

import pytest
import torch
from tests.pages import REPOSITORY
from torch import nn

from filterscope.data.networks import layouts
from filterscope.data.networks.embedded import SCENES, build_planted
from filterscope.data.networks.layers import UNWATCHED, LayerError, Reader, survey
from filterscope.data.networks.layout_kinds import FIRST, KINDS, LAST, TOKENS, VECTOR, WINDOWS, grid_of


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


class Vision(nn.Module):
    """Tokens of patches of 4 x 8 px, with a class token and registers, and what a transformer does with them."""

    def __init__(self, width=8, extra=2, last=False, fixed=None, apart=False):
        super().__init__()
        self.patches = nn.Conv2d(3, width, (4, 8), stride=(4, 8))
        self.extra = nn.Parameter(noise(1, extra, width)) if extra else None
        self.positions = nn.Parameter(noise(1, fixed, width)) if fixed else None
        self.last, self.apart = last, apart
        self.start, self.norm, self.attention = nn.Identity(), nn.LayerNorm(width), Attention(width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))
        self.head = nn.Linear(width, 5)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        if self.apart:
            tokens = torch.cat([tokens[:, ::2], tokens[:, 1::2]], 1)
        if self.extra is not None:
            extra = self.extra.expand(len(images), -1, -1)
            tokens = torch.cat([tokens, extra] if self.last else [extra, tokens], 1)
        if self.positions is not None:
            tokens = tokens + self.positions
        tokens = self.start(tokens)
        tokens = tokens + self.attention(self.norm(tokens))[0]
        return self.head(self.mlp(tokens).mean(1))


class Attention(nn.Module):
    """Puts out a tuple, as Hugging Face's do."""

    def __init__(self, width, heads=2):
        super().__init__()
        self.heads, self.qkv = heads, nn.Linear(width, 3 * width)
        self.q_norm, self.weights, self.proj = nn.LayerNorm(width // heads), nn.Softmax(-1), nn.Linear(width, width)

    def forward(self, tokens):
        query, key, value = (
            each.unflatten(2, (self.heads, -1)).transpose(1, 2) for each in self.qkv(tokens).chunk(3, 2)
        )
        weights = self.weights(self.q_norm(query) @ key.transpose(2, 3))
        return self.proj((weights @ value).transpose(1, 2).flatten(2)), weights


def seen(network, size):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        read = survey(network.eval(), size)
    return {each.layer: each for each in read.layers}, {each.layer: each.reason for each in read.left_out}


def vision(**settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Vision(**settings).eval()


SIZE = (24, 64)  # a grid of 6 x 8


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("fixed", [None, 50])
def test_tokens_become_maps_wherever_class_and_register_tokens_are(last, fixed):
    """Also in a network that takes one size of picture only."""
    network = vision(last=last, fixed=fixed)
    read, left_out = seen(network, SIZE)
    extra = (48, 49) if last else (0, 1)
    for layer, filters in (("start", 8), ("norm", 8), ("attention", 8), ("mlp.0", 24), ("mlp.1", 24), ("mlp", 8)):
        layout = read[layer].layout
        found = (layout.kind, layout.filters, layout.height, layout.width, layout.extra, layout.assumed)
        assert found == (TOKENS, filters, 6, 8, extra, ""), layer
    assert read["attention"].layout.path == (0,)
    assert (read["patches"].layout.kind, read["head"].layout.kind) == (FIRST, VECTOR)
    assert set(left_out) == {"attention.q_norm", "attention.weights"}


def test_maps_of_tokens_are_those_of_the_patches():
    network, images = vision(last=True), noise(3, 3, *SIZE)
    with torch.no_grad():
        expected = network.patches(images)
        with Reader(network, "start", input_size=SIZE) as reader:
            torch.testing.assert_close(reader(images), expected)
        assert (reader.filters, reader.height, reader.width) == (8, 6, 8)


def test_tokens_in_another_order_than_the_pictures_are_left_out():
    _, left_out = seen(vision(apart=True), (64, 128))
    for layer in ("start", "norm", "attention", "mlp"):
        assert "its tokens do not go through the picture row by row" in left_out[layer]
    with pytest.raises(LayerError, match=r"'mlp' puts out a tensor .* do not go through the picture row by row"):
        Reader(vision(apart=True), "mlp", input_size=(64, 128))


class Sparse(nn.Module):
    """Tokens of patches of 8 px that are mixed, and then a ReLU behind which five of 64 fire, none at the spot."""

    def __init__(self, apart=False):
        super().__init__()
        self.patches, self.start, self.behind = nn.Conv2d(3, 8, 8, stride=8), nn.Identity(), nn.Identity()
        self.positions = torch.zeros(1, 64, 8)
        self.positions[:, :5, 0] = 100
        self.units, self.apart = nn.Sequential(nn.Linear(8, 6), nn.ReLU()), apart
        with torch.no_grad():
            self.units[0].weight[:, 0] = 1
            self.units[0].bias.fill_(-50)

    def forward(self, images):
        tokens = self.start(self.patches(images).flatten(2).transpose(1, 2))
        if self.apart:
            tokens = torch.cat([tokens[:, ::2], tokens[:, 1::2]], 1)
        tokens = self.behind(tokens)
        mixed = tokens + tokens.mean(1, keepdim=True) + self.positions
        return self.units(mixed).mean(1)


def sparse(**settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Sparse(**settings).eval()


def test_few_tokens_that_fire_after_mixing_do_not_overturn_an_order_that_was_seen():
    network = sparse()
    read, left_out = seen(network, 64)
    assert left_out == {}
    assert {read[layer].layout.kind for layer in ("start", "behind", "units.0", "units.1", "units")} == {TOKENS}
    images = 2 * noise(1, 3, 64, 64)
    with torch.no_grad(), Reader(network, "units", input_size=64) as reader:
        assert (reader(images)[0].amax(0) > 0).sum() == 5


def test_an_order_that_is_lost_on_the_way_is_lost_for_what_fires_seldom_too():
    read, left_out = seen(sparse(apart=True), 64)
    assert "start" in read
    for layer in ("behind", "units.0", "units.1", "units"):
        assert "its tokens do not go through the picture row by row" in left_out[layer]


class ChannelsLast(nn.Module):
    """Maps [B, H, W, C] between convolutions, without any norm that would betray it; and windows of 2 x 2."""

    def __init__(self):
        super().__init__()
        self.stem, self.act = nn.Conv2d(3, 6, 2, stride=2), nn.ReLU()
        self.mix, self.windows, self.back = nn.Linear(6, 12), nn.Identity(), nn.Conv2d(12, 4, 1)

    def forward(self, images):
        maps = self.act(self.mix(self.stem(images).permute(0, 2, 3, 1)))
        batch, height, width, filters = maps.shape
        windows = maps.view(batch, height // 2, 2, width // 2, 2, filters).transpose(2, 3).flatten(0, 2)
        self.windows(windows.flatten(1, 2))
        return self.back(maps.permute(0, 3, 1, 2))


def test_channels_that_come_last_are_seen_without_a_norm():
    """Also where there are as many rows as filters."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ChannelsLast().eval()
    read, left_out = seen(network, 24)
    kinds = {name: (each.layout.kind, each.filters, each.height) for name, each in read.items()}
    assert kinds.pop("windows") == (WINDOWS, 12, 12)
    assert kinds == {"stem": (FIRST, 6, 12), "mix": (LAST, 12, 12), "act": (LAST, 12, 12), "back": (FIRST, 4, 12)}
    assert left_out == {}
    images = noise(2, 3, 24, 24)
    with torch.no_grad():
        expected = network.mix(network.stem(images).permute(0, 2, 3, 1)).relu().permute(0, 3, 1, 2)
        with Reader(network, "act", input_size=24) as reader:
            torch.testing.assert_close(reader(images), expected)
        with Reader(network, "windows", input_size=24) as reader:
            torch.testing.assert_close(reader(images), expected)


class Named(dict):
    """A mapping, as ModelOutput is."""


class Outputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.mapping, self.nested, self.upsampled = (
            *(nn.Conv2d(3, 4, 3, padding=1), Into(lambda maps: Named(loss=None, logits=maps.mean((2, 3)), maps=maps))),
            *(Into(lambda maps: ([maps * 2], maps)), nn.Upsample(scale_factor=2)),
        )
        self.flat, self.five = nn.Flatten(), Into(lambda maps: maps[:, :, None])

    def forward(self, images):
        maps = self.conv(images)
        self.nested(maps), self.flat(maps), self.five(maps), self.upsampled(maps)
        return self.mapping(maps)


class Into(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, maps):
        return self.function(maps)


def test_tuples_lists_and_mappings_are_looked_into():
    network, images = Outputs().eval(), noise(2, 3, 8, 8)
    read, left_out = seen(network, 8)
    assert read["nested"].layout.path == (0, 0)
    assert read["mapping"].layout.path == ("logits",)
    with torch.no_grad(), Reader(network, "nested", input_size=8) as reader:
        torch.testing.assert_close(reader(images), 2 * network.conv._conv_forward(images, *network.conv.parameters()))
    assert "its length follows the picture's size, so it has no fixed filters" in left_out["flat"]
    assert "5 axes, should be 2 to 4" in left_out["five"]


def test_maps_larger_than_the_picture_are_refused():
    with pytest.raises(LayerError, match=r"'upsampled' puts out maps of 16 x 16 cells, more than the 8 x 8 px"):
        Reader(Outputs().eval(), "upsampled", input_size=8)
    found = survey(Outputs().eval(), 8)
    assert "upsampled" not in {each.layer for each in found.layers}
    (said,) = (each.reason for each in found.left_out if each.layer == "upsampled")
    assert said == "it puts out maps of 16 x 16 cells, more than the 8 x 8 px of the picture"


class Pieces(nn.Module):
    """Tokens whose number is no grid: every second column is dropped, but one."""

    def __init__(self):
        super().__init__()
        self.cut, self.mix = nn.Flatten(2), nn.Linear(12, 4)

    def forward(self, images):
        tokens = self.cut(images.unfold(2, 2, 2).unfold(3, 2, 2).permute(0, 1, 4, 5, 2, 3).flatten(1, 3))
        return self.mix(tokens[:, :, : tokens.shape[2] // 2 + 1].transpose(1, 2)).mean(1)


def test_tokens_whose_number_is_no_grid_are_refused_with_the_reason():
    with pytest.raises(LayerError, match=r"'mix' puts out a tensor \[1, 19, 4\].*its 19 tokens are no grid of places"):
        Reader(Pieces().eval(), "mix", input_size=12)
    read, _ = seen(Pieces(), 12)
    assert read["cut"].layout.flipped  # [B, C, N]
    assert (read["cut"].filters, read["cut"].height, read["cut"].width) == (12, 6, 6)


def test_a_layer_inside_a_scripted_module_says_what_to_write():
    inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    network = nn.Sequential(torch.jit.trace(inner, torch.zeros(1, 3, 8, 8)), nn.Conv2d(4, 2, 1)).eval()
    with pytest.raises(
        LayerError, match=r"'0\.1' is inside a scripted module \(TorchScript\), '0', whose layers cannot"
    ):
        Reader(network, "0.1", input_size=8)
    with Reader(network, "0", input_size=8) as reader:  # the whole of it can be read
        assert reader.filters == 4


def test_a_network_that_holds_what_script_made_is_read_around_it():
    """Such modules take no hooks; the others do, and what is left out is told."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), torch.jit.script(nn.Sequential(nn.ReLU())), nn.Conv2d(4, 2, 1)).eval()
    found = survey(network, 8)
    assert [each.layer for each in found.layers] == ["0", "2"]
    assert [(each.layer, each.reason) for each in found.left_out] == [("1", f"it {UNWATCHED}")]
    whole = r"'1\.0' is inside a scripted .* scripted or traced from$"
    for layer, said in {"1": "'1' is a scripted module", "1.0": whole}.items():
        with pytest.raises(LayerError, match=said):
            Reader(network, layer, input_size=8)


@pytest.mark.parametrize(
    ("places", "aspect", "grid"), [(196, 1, (14, 14)), (48, 24 / 32, (6, 8)), (19, 1, None), (1, 1, (1, 1))]
)
def test_grids_of_places(places, aspect, grid):
    assert grid_of(places, aspect) == grid


def test_the_table_of_families_has_a_column_for_every_layout():
    page = (REPOSITORY / "docs" / "networks.md").read_text(encoding="utf-8")
    head, _, *rows = page.partition("<!-- families -->")[2].partition("<!--")[0].strip().splitlines()
    titles = [title.strip() for title in head.strip("|").split("|")]
    assert titles[2 : 2 + len(KINDS)] == list(KINDS)
    assert {row.count("|") for row in rows} == {head.count("|")}


@pytest.mark.parametrize("build", [*SCENES.values(), build_planted])
def test_small_networks_are_really_shown_other_pictures_and_tell_the_same(build, monkeypatch):
    network = build()
    looked = survey(network, 96)
    monkeypatch.setattr(layouts, "SMALL", 0)
    by_shapes = survey(network, 96)
    assert looked == by_shapes
    assert [each.layout for each in looked.layers] == [each.layout for each in by_shapes.layers]


READ = """
import sys
from filterscope.data.networks.embedded import build_planted
from filterscope.data.networks.layers import Reader
Reader(build_planted(), "detectors", input_size=96)
print("torch._dynamo" in sys.modules)
"""


def test_a_small_network_is_read_without_the_compiler():
    """It takes longer to load than such a network to look."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow_scripts")}
    told = subprocess.run([sys.executable, "-c", READ], env=environment, check=True, capture_output=True, text=True)
    assert told.stdout == "False\n"
