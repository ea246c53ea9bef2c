"""`filterscope init`: a commented study for a network and a folder of photographs."""

from __future__ import annotations

import argparse
import os
import shlex
import textwrap
from pathlib import Path

from filterscope.commands import CommandError, networks, studies

HELP = "write a study for a network and a folder of photographs"
TEACHERS = ("coco", "scenes")
WIDTH = 118  # of comments
MOST_THREADS = 8  # cores that a job is given at most

STUDY = """\
# A study of Filterscope: what the filters of {named} know, in words, on the photographs in
# {photos}
#
{commands}
#
# What is not here stands in config.yaml; `filterscope check` tells a misspelt key.

title: {title}
seed: 0                # every random choice derives from it
threads: {threads}             # cores of a job; pictures are decoded in as many processes

datasets:
{datasets}{vocabularies}
networks:
{network}
# Whose filters are named: {chosen}.
# `filterscope layers {listed}` lists all that can be read.{stages}
probes:
  {probe}: {{network: {name}, {key}: {layer}}}

# What is explained. Names on {teacher} come with scores, for it has masks; those on the album are `untested` and
# stand beside what {teacher} says of the same filters.
explanations:
  - {{dataset: {teacher}, probe: {probe}, vocabulary: {vocabulary}}}
  - {{dataset: album, probe: {probe}, vocabulary: {vocabulary}}}
{training}
activations:
  batch_size: 32       # pictures per forward pass: more for a large GPU, fewer for little memory
"""

COCO = """\
  # Teaches the words: photographs with masks.{told}
  coco: {{source: coco, folder: {folder}, max_bad_fraction: 0.001}}
"""
SCENES = """\
  # The words are taught by `scenes` of config.yaml: drawn pictures of shapes and colours. Nothing is downloaded, and no
  # word for things of the world is learnt: to try it out. `filterscope init --teacher coco` teaches real words.
"""
ALBUM = """\
  # Your photographs, {count} of them; broken ones may be this share before the run stops.
  album: {{source: folder, folder: {photos}, reference: {teacher}, max_bad_fraction: 0.01}}
"""
GLOVE = """
vocabularies:
  # The words that may be said.{told}
  glove: {{source: glove, file: {file}, member: glove.6B.300d.txt}}
"""
TRAINING = """
training:
  vocabulary_negatives: 1024  # wins with vocabularies as large as GloVe's
"""


def add(commands) -> None:
    """Add the command's options to the parser's commands."""
    command = commands.add_parser("init", help=HELP, description=f"{HELP}, which can be run as it is.")
    command.add_argument(
        "network",
        help="a torchvision model, a checkpoint of one, module:function or file.py:function, a Caffe file.prototxt, "
        "file.onnx, timm:NAME or hf:NAME",
    )
    command.add_argument("--photos", required=True, metavar="FOLDER", help="folder of photographs, without annotations")
    command.add_argument("--out", default="my.yaml", metavar="FILE", help="the study (default: my.yaml)")
    command.add_argument("--force", action="store_true", help="write over a study that is there")
    command.add_argument(
        "--layer", help="the layer to read, or blocks for the ends of all stages (default: the end of the last stage)"
    )
    command.add_argument("--weights", metavar="FILE", help="state dict of a factory's network, or a caffemodel")
    command.add_argument("--architecture", help="of a checkpoint (default: what its tensors look like)")
    command.add_argument(
        "--size", type=int, help="px, side of the network's input (default: what its weights say, or 224)"
    )
    command.add_argument(
        "--teacher",
        choices=TEACHERS,
        default="coco",
        help="what teaches the words; scenes needs no download (default: coco)",
    )
    command.add_argument(
        "--coco", metavar="FOLDER", help="COCO 2017, where it lies already (default: downloaded, 20 GB)"
    )
    command.add_argument("--glove", metavar="FILE", help="glove.6B.zip, where it lies already (default: downloaded)")
    command.add_argument("--title", help="heading of the report")
    command.set_defaults(work=init)


def init(options: argparse.Namespace) -> int:
    """Write the study, and tell what comes next."""
    out = Path(options.out)
    if out.exists() and not options.force:
        raise CommandError(f"{out} is there already; --force writes over it, --out takes another name")
    photos = _folder("--photos", options.photos)
    coco = _folder("--coco", options.coco) if options.coco else None
    glove = networks.file_of("--glove", options.glove) if options.glove else None
    entry = networks.entry_of(options)
    # Loading torch takes seconds, so that comes after what can be said at once.
    from filterscope.data.datasets.folder import list_pictures

    count = len(list_pictures(photos))
    name = networks.name_of(options.network)
    layer, chosen, ends = networks.layer_of(entry, options.layer)
    text = _text(options, entry, name, layer, chosen, ends, photos, count, coco, glove)
    _refuse_wrong(text)
    _write(out, text)
    teacher = "COCO 2017" if options.teacher == "coco" else "drawn scenes"
    print(f"{out}: {options.network}, {chosen}; {count} photographs; words from {teacher}.")
    path = shlex.quote(str(out))
    print(f"Next: `filterscope check {path}`, then `filterscope run {path}`.")
    return 0


def _folder(option: str, path: str) -> str:
    if not Path(path).is_dir():
        found = "is a file" if Path(path).exists() else "is not there"
        raise CommandError(f"{option} {path}: {found}; should be a folder")
    if not os.access(path, os.R_OK | os.X_OK):
        raise CommandError(f"{option} {path}: this user may not read it")
    return os.path.abspath(path)


def _flow(value: object) -> str:
    """A value of YAML on one line, quoted where it must be."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _item(value: object) -> str:
    """The same within a flow mapping, where commas and braces of plain text would end it."""
    return _flow([value])[1:-1]


def _text(options, entry, name, layer, chosen, ends, photos, count, coco, glove) -> str:
    teacher = options.teacher
    if teacher == "coco":
        told = "" if coco else "\n  # folder: null downloads it (20 GB); or write where COCO 2017 lies."
        datasets = COCO.format(told=told, folder=_item(coco))
        told = "" if glove else "\n  # file: null downloads GloVe 6B (0.9 GB); or write where glove.6B.zip lies."
        vocabulary, vocabularies, training = "glove", GLOVE.format(told=told, file=_item(glove)), TRAINING
    else:
        datasets, vocabulary, vocabularies, training = SCENES, "captions", "", ""
    datasets += ALBUM.format(count=count, photos=_item(photos), teacher=teacher)
    lines = [f"  {name}: {_flow(entry)}"]
    if entry["source"] == "factory":
        lines.insert(
            0, "  # Your function's network; it is called without arguments, `arguments: {...}` gives it some."
        )
        if "file" not in entry:
            lines.insert(1, "  # `file: weights.pt` loads a state dict into it; without one it keeps what it brings.")
    elif entry["source"] == "torchvision" and entry.get("weights", True) is None:
        lines.insert(0, "  # torchvision publishes no weights of it: it stays as it is drawn at random.")
    elif entry["source"] == "torchvision":
        lines.insert(0, "  # With torchvision's best weights (`weights: DEFAULT`), through its ordinary cache.")
    return STUDY.format(
        named=options.network,
        photos=photos,
        commands=_commands(shlex.quote(options.out)),
        title=_flow(options.title or f"{name} on my photographs"),
        threads=min(MOST_THREADS, os.cpu_count() or 1),
        datasets=datasets,
        vocabularies=vocabularies,
        network="\n".join(lines) + "\n",
        chosen=chosen,
        listed=shlex.quote(options.network),
        probe="deep",
        name=name,
        layer=_item(layer),
        key="layers" if layer == networks.BLOCKS else "layer",
        stages=_stages(layer, ends),
        teacher=teacher,
        vocabulary=vocabulary,
        training=training,
    )


def _stages(layer: str, ends: list[str]) -> str:
    """The layers that are usually asked for, as a comment, where the study reads one."""
    if layer == networks.BLOCKS or len(ends) < 2:
        return ""
    listed = textwrap.wrap(
        f"Its stages end in {', '.join(ends)}: `layers: blocks` in the place of `layer: ...` reads all of them in one "
        "pass and shows how words change with depth.",
        WIDTH,
        break_on_hyphens=False,
    )
    return "".join(f"\n# {line}" for line in listed)


def _commands(out: str) -> str:
    """What can be done with the study, as comments."""
    said = {
        f"filterscope check {out}": "what would run, for how long, on how much disk",
        f"filterscope run {out}": "runs it; after a change or a kill it goes on where it was",
        "filterscope open": "shows the result",
    }
    width = max(map(len, said))
    return "\n".join(f"#     {command:<{width}}  {what}" for command, what in said.items())


def _refuse_wrong(text: str) -> None:
    """A study that is written can be run. Raises CommandError with what the check says."""
    import yaml

    mistakes = studies.checked(yaml.safe_load(text)).mistakes
    if mistakes:
        raise CommandError("the study would be wrong:\n" + "\n".join(f"  - {each}" for each in mistakes))


def _write(path: Path, text: str) -> None:
    if not path.parent.is_dir():
        raise CommandError(f"{path}: there is no folder {path.parent}")
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise CommandError(f"{path}: cannot be written ({error.strerror})") from None
