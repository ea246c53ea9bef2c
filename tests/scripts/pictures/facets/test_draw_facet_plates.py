"""draw_facet_plates: every class has its map with all facets around it, and its nearest images."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from filterscope import tables
from filterscope.data.networks.settings import InputSettings
from pictures.facets.draw_facet_plates import draw_facet_plates

FACETS, MEMBERS, UNITS = 3, 8, (4, 9)
COLOURS = [(200, 30, 40), (30, 170, 60), (250, 210, 40)]


@pytest.fixture
def folder(tmp_path):
    """Photographs of one grey each, two classes, a coloured picture for every facet but the last."""
    (tmp_path / "photographs").mkdir()
    (tmp_path / "facets/pictures").mkdir(parents=True)
    images, rows, made, chance = [], [], [], np.random.default_rng(0)
    for unit in UNITS:
        for facet in range(FACETS):
            dead, path = facet == FACETS - 1, f"pictures/{unit}_{facet}.png"
            if not dead:
                Image.new("RGB", (40, 40), COLOURS[facet]).save(tmp_path / "facets" / path)
            own = {"unit": unit, "class": f"class {unit}", "facet": facet, "recipe": "vital", "start": "mean"}
            own |= {"status": "optimised", "note": "", "path": None if dead else path, "mean_path": "m.png"}
            made.append(own | {"activation": None if dead else 1.0, "ratio": None if dead else 1.0})
            for rank in range(MEMBERS):
                number = len(images)
                Image.new("L", (30, 30), 60 + number).save(tmp_path / f"photographs/{number}.png")
                images.append((number, "train", f"{number}.png", 30, 30, False, "0"))
                x, y = chance.normal(10 * facet, 1), chance.normal(5 * (facet % 2), 1)
                rows.append((number, unit, f"class {unit}", facet, rank, x, y, 0.1 * rank, 1.0))
    tables.write(pd.DataFrame(images, columns=tables.SCHEMAS["images"].names), "images", tmp_path / "images.parquet")
    columns = ["image_id", "unit", "class", "facet", "rank", "x", "y", "distance", "activation"]
    tables.write(pd.DataFrame(rows, columns=columns), "facets", tmp_path / "facets.parquet")
    table = pd.DataFrame(made).assign(mean_activation=1.0, nearest_image_id=0, nearest_image=1.0, best_image=2.0)
    table = table.astype(object).where(table.notna(), None)
    tables.write(table, "facet_pictures", tmp_path / "facets/facet_pictures.parquet")
    return tmp_path


def test_plates_show_every_facets_picture_and_contacts_its_images(folder):
    draw_facet_plates(
        path_to_facets=folder / "facets.parquet",
        path_to_table=folder / "facets/facet_pictures.parquet",
        path_to_images=folder / "images.parquet",
        path_to_plates=folder / "plates",
        folder=folder / "photographs",
        inputs=InputSettings(resize=24, crop=24),
        nearest=5,
    )
    expected = {f"{kind}_{unit:04d}.png" for kind in ("plate", "contacts") for unit in UNITS}
    assert {each.name for each in (folder / "plates").iterdir()} == expected
    plate = np.asarray(Image.open(folder / "plates/plate_0004.png").convert("RGB")).reshape(-1, 3)
    shares = [(np.abs(plate.astype(int) - colour).max(1) < 8).sum() for colour in COLOURS]
    assert shares[0] > 8000
    assert shares[1] > 8000
    assert shares[2] < 100  # the last facet has no picture
    sheet = np.asarray(Image.open(folder / "plates/contacts_0004.png").convert("L"))
    greys = [np.isclose(sheet, 60 + number, atol=0).sum() > 1000 for number in range(FACETS * MEMBERS)]
    assert greys == [rank < 5 for _ in range(FACETS) for rank in range(MEMBERS)]
