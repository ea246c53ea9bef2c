"""How pictures become a network's input where the study does not say: as the weights' own transforms do.

Sizes are px; means and standard deviations are of the unit range. A study's `input:` goes before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from filterscope import job

if TYPE_CHECKING:
    from filterscope.data.networks.settings import NetworkSettings

UNCHANGED = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def own_input(settings: NetworkSettings) -> dict:
    """What the source of a network says of its input: some of resize, crop, mean and std; and tells where that is from.

    Empty for sources that say nothing. Raises NetworkError where architecture or weights are not there.
    """
    if settings.source not in OWN:
        return {}
    found, where = OWN[settings.source](settings)
    if found:
        said = ", ".join(f"{key} {_written(value)}" for key, value in found.items())
        job.LOGGER.info("pictures as %s says, where input: does not: %s", where, said)
    else:
        job.LOGGER.info(
            "%s: nothing is known of its input; pictures are ImageNet's usual ones where input: says no others", where
        )
    return found


def _written(value) -> str:
    return ", ".join(f"{each:.4g}" for each in value) if isinstance(value, tuple) else str(value)


# --- torchvision -----------------------------------------------------------------------------------------


def _torchvision(settings: NetworkSettings) -> tuple[dict, str]:
    from filterscope.data.networks import architectures

    weights, where = architectures.own_weights(settings)
    if weights is not None:
        return of_transforms(weights.transforms()) | _of_detectors(settings.architecture), where
    return _of_detectors(settings.architecture), where


def of_transforms(transforms) -> dict:
    """Of torchvision's presets: attributes that they have."""
    found = {}
    for key, name in (("resize", "resize_size"), ("crop", "crop_size")):
        size = getattr(transforms, name, None)
        if size:
            found[key] = int(size[0] if isinstance(size, list | tuple) else size)
    if "resize" in found and "crop" not in found:
        found["crop"] = found["resize"]  # presets of segmentation take the whole picture
    for key in ("mean", "std"):
        if getattr(transforms, key, None) is not None:
            found[key] = tuple(map(float, getattr(transforms, key)))
    return found


def _of_detectors(architecture: str) -> dict:
    """torchvision's detectors normalise pictures themselves."""
    import torchvision

    module = torchvision.models.get_model_builder(architecture).__module__
    return UNCHANGED if module.startswith("torchvision.models.detection") else {}


# --- timm ------------------------------------------------------------------------------------------------


def _timm(settings: NetworkSettings) -> tuple[dict, str]:
    from filterscope.data.networks import timm_models

    return of_timm_config(timm_models.pretrained_config(settings), settings.arguments.get("img_size")), "timm"


def of_timm_config(config: Mapping, size=None) -> dict:
    """Of timm's pretrained_cfg; size: of the pictures, px, where the network is built for another."""
    side = size or config["input_size"][-1]
    side = int(side if isinstance(side, int) else side[-1])
    share = config.get("crop_pct") or 0.875
    found = {"resize": max(side, int(side / share)), "crop": side}
    return found | {key: tuple(map(float, config[key])) for key in ("mean", "std") if config.get(key)}


# --- Hugging Face ----------------------------------------------------------------------------------------


def _huggingface(settings: NetworkSettings) -> tuple[dict, str]:
    from filterscope.data.networks import huggingface_models

    config = huggingface_models.preprocessor_config(settings.model)
    return (of_preprocessor(config) if config else {}), f"{settings.model}, preprocessor_config.json,"


def of_preprocessor(config: Mapping) -> dict:
    """Of the preprocessor_config.json of a folder or repository of Hugging Face."""
    found = {}
    size, crop = _side(config.get("size")), _side(config.get("crop_size"))
    if size and config.get("do_resize", True):
        share = config.get("crop_pct") or 1
        found["resize"] = int(size / share) if size < 384 else size
        found["crop"] = min(crop or size, found["resize"]) if config.get("do_center_crop", True) else size
    factor = float(config.get("rescale_factor", 1 / 255)) * 255 if config.get("do_rescale", True) else 255.0
    shift = 1.0 if config.get("rescale_offset") else 0.0
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if config.get("do_normalize", True) and config.get("image_mean") and config.get("image_std"):
        mean, std = (_three(config[key]) for key in ("image_mean", "image_std"))
    return found | {
        "mean": tuple((each + shift) / factor for each in mean),
        "std": tuple(each / factor for each in std),
    }


def _side(size) -> int | None:
    if isinstance(size, Mapping):
        size = next((size[key] for key in ("shortest_edge", "height", "longest_edge") if size.get(key)), None)
    return int(size) if size else None


def _three(values) -> tuple[float, ...]:
    values = [values] if isinstance(values, int | float) else list(values)
    return tuple(map(float, values))


# --- ONNX --------------------------------------------------------------------------------------------------


def _onnx(settings: NetworkSettings) -> tuple[dict, str]:
    """The size alone: an ONNX file does not say how pictures were normalised."""
    from filterscope.data.networks import onnx_models

    height, width = onnx_models.input_sides(onnx_models.read(settings.file))
    side = height or width
    if side is None:
        return {}, settings.file
    if width not in (None, side):
        from filterscope.data.networks.settings import NetworkError

        raise NetworkError(f"{settings.file}: takes pictures of {width} x {height} px, should be square ones")
    return {"resize": side * 8 // 7, "crop": side}, f"{settings.file} (mean and std it does not tell)"


OWN: dict[str, Callable[[NetworkSettings], tuple[dict, str]]] = {
    "torchvision": _torchvision,
    "checkpoint": _torchvision,
    "timm": _timm,
    "huggingface": _huggingface,
    "onnx": _onnx,
}
