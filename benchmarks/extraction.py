"""Features and 30 epochs, against one pass over the images and against the reference's way.

The reference decodes the picture and runs the network for every annotation in every epoch, those of the training
images to learn and those of the validation images to choose the epoch; that is timed on a sample of annotations and
scaled to all of them, because the whole would take an hour and more. Ours extracts the features of all annotations,
learns from most of the training images, looks at the loss of the others after every epoch, and learns again from all
of them. Samples that filters' attention pools come from a later look at the training images and are not timed here.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow as pa
import torch
from material import real_study
from pycocotools import mask as coco_mask

from filterscope.activations.extraction import ExtractionSettings, extract
from filterscope.activations.probing import open_pictures, reading
from filterscope.activations.streaming import MaskGrid, stream
from filterscope.activations.tails import Tail
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks.building import normalise
from filterscope.data.rejection import stop
from filterscope.words.explaining.samples import ExplainerSamples, Gathered, split_samples
from filterscope.words.explaining.targets import multi_hot, token_list
from filterscope.words.explaining.training import ExplainerSettings, fit

# As in the studies of real photographs.
TRAINING = ExplainerSettings(
    learning_rate=0.003, averaging=3, vocabulary_negatives=1024, loss="softmax", power=0.5, hidden=512
)
SAMPLE = 96  # annotations that the reference's way is timed on
BATCH = 32


def main() -> None:
    """Print seconds and ratios."""
    torch.set_num_threads(2)
    study, device = real_study(), torch.device("cpu")
    tokens = token_list(study.categories)
    settings = ExtractionSettings(batch_size=BATCH, workers=2)
    with reading(study.probe, study.network, device) as reader:
        size = (reader.height, reader.width)
        list(_forward(study, reader, MaskGrid(), images=64))  # warm up

        started = time.perf_counter()
        list(_forward(study, reader, MaskGrid()))
        once = time.perf_counter() - started

        started = time.perf_counter()
        pictures = open_pictures(
            study.folder, study.images, study.annotations, study.probe.inputs, settings.grids(size)
        )
        tail = Tail(reader.filters, 0.995, len(pictures) * size[0] * size[1])
        parts = []
        for seen in extract(stream(pictures, BATCH, 2, stop), reader, study.probe.inputs, settings, device):
            tail.add(seen.maps)
            parts.append((seen.positions, seen.vectors))
        features = time.perf_counter() - started

        positions, vectors = (np.concatenate(each) for each in zip(*parts, strict=True))
        objects = pictures.annotations.table.take(pa.array(positions))
        splits = study.images.set_index("image_id")["split"].loc[objects["image_id"].to_numpy()].to_numpy()
        samples = ExplainerSamples(vectors, multi_hot(objects["tokens"], tokens))
        gathered = Gathered(samples, objects["image_id"].to_numpy(), splits == "train")
        words = study.vocabulary
        started = time.perf_counter()
        fit(
            split_samples(gathered, TRAINING.choosing, 0),
            words.vectors[words.rows(tokens)],
            TRAINING,
            0,
            device,
            words.vectors,
        )
        epochs = time.perf_counter() - started
        per_annotation = _reference(study, reader)
    reference = per_annotation * len(positions) * ExplainerSettings().epochs
    learning = per_annotation * int((splits == "train").sum()) * ExplainerSettings().epochs
    ours = features + epochs
    print(f"decode and forward pass over {len(study.images)} images, no masks: {once:.1f} s")
    print(
        f"features under {len(study.annotations)} masks: {features:.1f} s; 30 epochs on most of the training objects "
        f"and then the chosen number on all: {epochs:.1f} s"
    )
    print(f"ours against one pass plus the epochs: {ours / (once + epochs):.2f} x")
    each = f"{per_annotation * 1000:.0f} ms per annotation and epoch"
    print(f"reference's way: {each}, {reference / 3600:.2f} h for {len(positions)} annotations")
    print(f"reference against ours: {reference / ours:.0f} x; without its validation {learning / ours:.0f} x")


def _forward(study, reader, grids, images=None):
    pictures = open_pictures(study.folder, study.images[:images], None, study.probe.inputs, grids)
    with torch.inference_mode():
        for batch in stream(pictures, BATCH, 2, stop):
            yield reader(normalise(batch.pictures(torch.device("cpu")), study.probe.inputs)).shape


def _reference(study, reader) -> float:
    """Seconds per annotation: decode picture and mask, run the network, mask and pool; batches as ours."""
    paths = study.images.set_index("image_id")
    rows = study.annotations.take(np.linspace(0, len(study.annotations) - 1, SAMPLE).astype(int)).to_pylist()
    geometry = Geometry(study.probe.inputs.resize, study.probe.inputs.crop)
    started = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, SAMPLE, BATCH):
            pictures, masks = [], []
            for row in rows[first : first + BATCH]:
                image = paths.loc[row["image_id"]]
                pictures.append(geometry.picture(read_image(study.folder / image["path"])))
                run = {"size": [int(image["height"]), int(image["width"])], "counts": row["mask"]}
                masks.append(geometry.mask(coco_mask.decode(run), (reader.height, reader.width)))
            maps = reader(normalise(torch.stack(pictures), study.probe.inputs))
            (maps * torch.from_numpy(np.stack(masks))[:, None]).mean((2, 3))
    return (time.perf_counter() - started) / SAMPLE


if __name__ == "__main__":
    sys.exit(main())
