"""Names that one part of a config uses and another must define, room by room."""

from __future__ import annotations

import re

import pytest
from tests.unit.configuration.entries import (
    CAFFE,
    CLIP,
    COCO,
    DUEL,
    EXPLANATION,
    FACETS,
    FOLDER,
    GENOME,
    PICTURES,
    RANGE,
    SENSES,
)


@pytest.mark.parametrize(
    ("updates", "said"),
    [
        (
            {"probes": {"my-probe": {"network": "planted", "layer": "x"}}},
            "probes: 'my-probe' is not a name of letters",
        ),
        ({"datasets": {"2017": COCO["coco"]}}, "datasets: '2017' is not a name of letters"),
        ({"datasets": {2017: COCO["coco"]}}, "datasets: 2017 is not a name of letters"),
        (
            {"networks": {"mine": {"source": "factory", "factory": "build"}}},
            "networks.mine.factory is 'build': .*module:function",
        ),
        (
            {"networks": {"mine": {"source": "caffe", "prototxt": "deploy.prototxt"}}},
            "networks.mine: 'caffemodel' is missing",
        ),
        ({"networks": {"mine": {**CAFFE, "mean": [104, 117]}}}, r"networks.mine.mean is \[104, 117\]: .*too short"),
        ({"networks": {"mine": {**CAFFE, "scale": 0}}}, "networks.mine.scale is 0: 0 is less than or equal to"),
        ({"networks": {"mine": {**CAFFE, "input": {"resize": 224}}}}, "networks.mine.input.crop is 227, larger than"),
        ({"datasets": {"vg": {"source": "visual_genome"}}}, "datasets.vg: 'vocabulary' is missing"),
        (
            {"datasets": {"vg": {**GENOME, "passes": ["rare", "rara"]}}},
            r"datasets.vg.passes is \['rare', 'rara'\]: .*\(paper, reproduction, or a list of passes in your order\)",
        ),
        ({"datasets": {"vg": {**GENOME, "mirrors": {"image": ["x"]}}}}, "datasets.vg.mirrors.image is not known; did"),
        ({"datasets": {"vg": {**GENOME, "mirrors": {"images": []}}}}, r"datasets.vg.mirrors.images is \[\]: "),
        ({"datasets": {"vg": {**GENOME, "supervised": 0}}}, "datasets.vg.supervised is 0: 0 is less than or equal to"),
        # names that nothing defines
        (
            {"datasets": {"vg": {**GENOME, "vocabulary": "caption"}}},
            "datasets.vg.vocabulary is 'caption', .* did you mean captions",
        ),
        (
            {"probes": {"mine": {"network": "plantd", "layer": "x"}}},
            "probes.mine.network is 'plantd', .* did you mean planted",
        ),
        (
            {"explanations": [{**EXPLANATION, "dataset": "scene"}]},
            r"explanations\[0\].dataset is 'scene', which datasets does not define; did you mean scenes",
        ),
        (
            {"explanations": [{**EXPLANATION, "probe": "nothing"}]},
            r"explanations\[0\].probe is 'nothing', .* known are cnn_early, cnn_last, cnn_units, judge_units, planted",
        ),
        (
            {"defects": [{**EXPLANATION, "vocabulary": "caption"}]},
            r"defects\[0\].vocabulary is 'caption', which vocabularies does not define; did you mean caption",
        ),
        (
            {"networks": {"scenes_cnn": {"dataset": "scens"}}},
            "networks.scenes_cnn.dataset is 'scens', .* did you mean scenes",
        ),
        (
            {"datasets": {"holiday": {**FOLDER["holiday"], "reference": "coco"}}},
            "datasets.holiday.reference is 'coco', which",
        ),
        (
            {"reproduction": {"datasets": {"coco": "scens"}, "recall": []}},
            "reproduction.datasets.coco is 'scens', which is no annotated dataset; did you mean scenes",
        ),
        (
            {
                "reproduction": {
                    "datasets": {},
                    "recall": [{"experiment": "alexnet_features_coco", **EXPLANATION, "probe": "p"}],
                }
            },
            r"reproduction.recall\[0\] is not among the explanations: .*'probe': 'p'",
        ),
        (
            {"reproduction": {"datasets": {}, "recall": [{"experiment": "vgg", **EXPLANATION}]}},
            r"reproduction.recall.0.experiment is 'vgg'",
        ),
        # CLIP models
        (
            {"explanations": [{**EXPLANATION, "clip": "scenes_clp"}]},
            r"explanations\[0\].clip is 'scenes_clp', which clips does not define; did you mean scenes_clip",
        ),
        (
            {"datasets": FOLDER, "explanations": [{**EXPLANATION, "dataset": "holiday", "clip": "scenes_clip"}]},
            r"explanations\[0\].clip: 'holiday' has no annotations",
        ),
        (
            {"explanations": [EXPLANATION, {**EXPLANATION, "clip": "scenes_clip"}]},
            r"explanations\[1\] repeats an earlier entry",
        ),
        ({"defects": [{**EXPLANATION, "clip": "scenes_clip"}]}, "defects.0.clip is not known"),
        ({"clips": {"vit": {"source": "scenes"}}}, "clips.vit: 'dataset' is missing"),
        (
            {"clips": {"vit": {"source": "openclip"}}},
            "clips.vit.source is 'openclip', should be one of scenes, open_clip",
        ),
        (
            {"datasets": COCO, "clips": {"vit": {"source": "scenes", "dataset": "coco"}}},
            "clips.vit.dataset is 'coco', whose source is coco; should be scenes",
        ),
        ({"clips": {"vit": CLIP}}, "clips.vit has neither pretrained nor file"),
        (
            {"clips": {"vit": {**CLIP, "pretrained": "openai", "file": "x.pt"}}},
            "clips.vit has both pretrained and file",
        ),
        (
            {"clips": {"vit": {**CLIP, "model": "hf-hub:me/mine", "file": "x.pt"}}},
            "clips.vit.file has no effect: the model 'hf-hub:me/mine' brings its own weights",
        ),
        ({"clips": {"vit": {**CLIP, "file": "x", "prompts": ["a photo"]}}}, r"clips.vit.prompts.0 is 'a photo': "),
        (
            {"clips": {"vit": {**CLIP, "file": "x", "promts": []}}},
            "clips.vit.promts is not known; did you mean prompts",
        ),
        ({"clip_dissect": {"top_image": 5}}, "clip_dissect.top_image is not known; did you mean top_images"),
        ({"clip_dissect": {"membership": [1.0, 0.9]}}, "clip_dissect.membership.0 is 1.0: "),
        # names of the wrong kind
        (
            {"datasets": COCO, "networks": {"scenes_cnn": {"dataset": "coco"}}},
            "networks.scenes_cnn.dataset is 'coco', whose source is coco; should be scenes",
        ),
        (
            {"datasets": {**FOLDER, "again": {**FOLDER["holiday"], "reference": "holiday"}}},
            "datasets.again.reference is 'holiday', which has no annotations itself",
        ),
        (
            {
                "datasets": FOLDER,
                "defects": [{**EXPLANATION, "dataset": "holiday"}],
            },
            r"defects\[0\].dataset is 'holiday', which has no annotations",
        ),
        (
            {"explanations": [EXPLANATION] * 2},
            r"explanations\[1\] repeats an earlier entry",
        ),
        # labelled samples
        ({"samples": {"mine": {"source": "emnist"}}}, "samples.mine.source is 'emnist', should be one of xor, circle"),
        ({"samples": {"mine": {"source": "arrays"}}}, "samples.mine: 'file' is missing"),
        ({"samples": {"mine": {"source": "xor", "point": 9}}}, "samples.mine.point is not known; did you mean points"),
        ({"samples": {"mine": {"source": "moon", "test_points": 1}}}, "samples.mine.test_points is 1: "),
        ({"samples": {"mine": {"source": "digits", "test": 1}}}, "samples.mine.test is 1: .*becomes the test split"),
        ({"samples": {"mine": {"source": "mnist", "limit": 100}}}, "samples.mine.limit is 100: .*drawn by class"),
        ({"samples": {"mine": {"source": "mnist", "limit": {"val": 9}}}}, "samples.mine.limit.val is not known"),
        ({"samples": {"my-own": {"source": "digits"}}}, "samples: 'my-own' is not a name of letters"),
        (
            {"samples": {"scene_shapes": {"dataset": "scens"}}},
            "samples.scene_shapes.dataset is 'scens', which datasets does not define; did you mean scenes",
        ),
        (
            {"datasets": FOLDER, "samples": {"mine": {"source": "objects", "dataset": "holiday", "size": 32}}},
            "samples.mine.dataset is 'holiday', which has no annotations, so no objects",
        ),
        (
            {"datasets": COCO, "samples": {"scene_shapes": {"dataset": "coco"}}},
            "samples.scene_shapes.by is 'shape', which only scenes have; 'coco' is of source coco",
        ),
        # temperature
        (
            {"networks": {"scenes_cnn": {"schedule": "one_cicle"}}},
            "networks.scenes_cnn.schedule is 'one_cicle', which temperature.schedules does not define; did",
        ),
        (
            {"training": {"schedule": "one_cicle"}},
            "training.schedule is 'one_cicle', which is neither constant, cosine nor in .* did you mean one_cycle",
        ),
        (
            {"training": {"schedule": "one_cycle", "optimiser": "dadapt_adam"}},
            "training.schedule is 'one_cycle', which only adamw follows; training.optimiser is 'dadapt_adam'",
        ),
        (
            {"temperature": {"schedules": {"mine": {"method": "warmup"}}}},
            "temperature.schedules.mine.method is 'warmup', should be one of constant, step, cosine",
        ),
        (
            {"temperature": {"schedules": {"constant": {"learning_rates": 1}}}},
            "temperature.schedules.constant.learning_rates is not known; did you mean learning_rate",
        ),
        (
            {"temperature": {"schedules": {"actcoolr": {"link": 2}}}},
            "temperature.schedules.actcoolr.link is 2: .*base that turns temperatures into probabilities",
        ),
        (
            {"temperature": {"schedules": {"constant": {"search": {"learning_rate": [1.0, 0.1]}}}}},
            r"temperature.schedules.constant.search.learning_rate is \[1.0, 0.1\]: the lowest comes first",
        ),
        (
            {"temperature": {"networks": {"mine": {}}}},
            "temperature.networks.mine needs either an architecture or a factory",
        ),
        (
            {"temperature": {"networks": {"mine": {"architecture": "resnet34"}}}},
            "temperature.networks.mine.architecture is 'resnet34': .*a network of ActCooLR",
        ),
        (
            {"temperature": {"training_of": {"digits": {"epoch": 3}}}},
            "temperature.training_of.digits.epoch is not known; did you mean epochs",
        ),
        (
            {"temperature": {"training_of": {"digit": {"epochs": 3}}}},
            "temperature.training_of.digit is 'digit', which samples does not define; did you mean digits",
        ),
        (
            {"temperature": {"duels": [{**DUEL, "schedules": ["constan"]}]}},
            r"temperature.duels\[0\].schedules has 'constan', which temperature.schedules does not define; did you",
        ),
        (
            {"temperature": {"duels": [DUEL, {**DUEL, "seeds": [9]}]}},
            r"temperature.duels\[1\] repeats convnet, digits of an earlier entry: join them",
        ),
        (
            {"temperature": {"ranges": [{**RANGE, "network": "resnet"}]}},
            r"temperature.ranges\[0\].network has 'resnet', which temperature.networks does not define; known are",
        ),
        ({"temperature": {"ranges": [{**RANGE, "moments": [1.5]}]}}, "temperature.ranges.0.moments.0 is 1.5: "),
        (
            {
                "temperature": {
                    "networks": {"mine": {"factory": "mine.py:network"}},
                    "duels": [{**DUEL, "network": "mine", "samples": "xor"}],
                }
            },
            r"temperature.duels\[0\].samples is 'xor', which has no test_points to compare schedules by",
        ),
        (
            {"temperature": {"ranges": [{**RANGE, "samples": "xor"}]}},
            r"temperature.ranges\[0\].samples is 'xor', points in the plane; convnet needs pictures",
        ),
        # pictures
        (
            {"pictures": [{**PICTURES, "recipe": "forier"}]},
            r"pictures\[0\].recipe is 'forier', which recipes does not define; did you mean fourier",
        ),
        ({"pictures": [{**PICTURES, "filters": []}]}, r"pictures.0.filters is \[\]: .*\(all, strongest"),
        (
            {"pictures": [{**PICTURES, "position": "left"}]},
            r"pictures.0.position is 'left': .*centre, or \[row, column\]",
        ),
        (
            {"pictures": [PICTURES, {**PICTURES, "filters": [3]}]},
            r"pictures\[1\] repeats scenes, planted, fourier of an earlier entry: join them",
        ),
        (
            {"recipes": {"mine": {"method": "deepdream"}}},
            "recipes.mine.method is 'deepdream', should be one of upscale, octaves, fourier, maco",
        ),
        ({"recipes": {"fourier": {"step": 9}}}, "recipes.fourier.step is not known; did you mean steps"),
        ({"recipes": {"mine": {"method": "upscale", "blur": 4}}}, "recipes.mine.blur is 4: .*odd side of the box blur"),
        (
            {"recipes": {"mine": {"method": "maco", "smallest": 0.99}}},
            "recipes.mine.smallest is 0.99, larger than largest, 0.95",
        ),
        ({"recipes": {"sheets": {"method": "maco"}}}, "recipes.sheets: a folder of the results has this name"),
        (
            {"strongest_filters": [{"dataset": "scenes", "probe": "plantd", "images": [1]}]},
            r"strongest_filters\[0\].probe is 'plantd', .* did you mean planted",
        ),
        (
            {"occlusions": [{"dataset": "scenes", "probe": "planted", "images": [1], "cover": "masks"}]},
            r"occlusions.0.cover is 'masks': .*objects, grid, a list of rectangles",
        ),
        (
            {
                "datasets": FOLDER,
                "occlusions": [{"dataset": "holiday", "probe": "planted", "images": [1], "cover": "objects"}],
            },
            r"occlusions\[0\].cover is 'objects', but dataset 'holiday' has no annotations",
        ),
        (
            {
                "occlusions": [
                    {
                        "dataset": "scenes",
                        "probe": "planted",
                        "images": [1, 2],
                        "cover": [{"image": 1, "parts": {"head": [0, 0, 5, 5]}}],
                    }
                ]
            },
            r"occlusions\[0\].cover has parts of 1; images are 1, 2: each needs parts, once",
        ),
        (
            {
                "pictures": [{"dataset": "scenes", "probe": "planted", "recipe": "maco", "filters": "strongest"}],
                "strongest_filters": [],
            },
            r"pictures\[0\].filters is 'strongest', but strongest_filters has no entry for scenes, planted",
        ),
        (
            {"occlusion": {"fill": "white"}},
            r"occlusion.fill is 'white': 'white' is not one of \['black', 'mean', 'blur'\]",
        ),
        # facets
        ({"facets": [{**FACETS, "recipe": "maen"}]}, r"facets\[0\].recipe is 'maen', .* did you mean mean"),
        ({"facets": [{**FACETS, "facets": 1}]}, "facets.0.facets is 1: 1 is less than the minimum of 2"),
        ({"facets": [{**FACETS, "nearest": 0}]}, "facets.0.nearest is 0: 0 is less than the minimum of 1"),
        ({"facets": [{**FACETS, "classes": {"circle": "red"}}]}, "facets.0.classes.circle is 'red': .*'integer'"),
        (
            {"facets": [{**FACETS, "classes": {}}]},
            r"facets.0.classes is \{\}: .*\(output unit of every class; a class is",
        ),
        (
            {"facets": [{**FACETS, "classes": {"circle": 1, "ring": 1}}]},
            r"facets\[0\].classes: unit 1 stands for circle, ring; a unit has one class",
        ),
        (
            {"facets": [{**FACETS, "from_noise": ["mean", "plian"]}]},
            r"facets\[0\].from_noise is 'plian', .* did you mean plain",
        ),
        ({"facets": [{**FACETS, "judge": "judge"}]}, r"facets\[0\].judge is 'judge', .* did you mean judge_units"),
        (
            {"facets": [{**FACETS, "probe": "cnn_units", "judge": "cnn_last"}]},
            r"facets\[0\].judge is 'cnn_last', a probe of the network that is judged; should be another network's",
        ),
        (
            {"facets": [{**FACETS, "words": "cnn_last"}]},
            r"facets\[0\].words is 'cnn_last', a probe of another network; should be one of planted",
        ),
        (
            {"facets": [{**FACETS, "words": ["planted", "cnn_last"]}]},
            r"facets\[0\].words is 'cnn_last', a probe of another network; should be one of planted",
        ),
        ({"facets": [{**FACETS, "words": ["plantet"]}]}, r"facets\[0\].words is 'plantet', .* did you mean planted"),
        ({"criteria": {"photographs": 4}}, "criteria.photographs is 4: 4 is less than the minimum of 20"),
        ({"facets": [FACETS] * 2}, r"facets\[1\] repeats scenes, planted of an earlier entry: join them"),
        ({"recipes": {"facets": {"method": "maco"}}}, "recipes.facets: a folder of the results has this name"),
        ({"facetting": {"perplexity": 0}}, "facetting.perplexity is 0: 0 is less than or equal to the minimum of 0"),
        # senses
        (
            {"senses": [{**SENSES, "codes": "cnn_last"}]},
            r"senses\[0\].codes is 'cnn_last', a probe of another network; should be one of planted",
        ),
        ({"senses": [{**SENSES, "words": "plantet"}]}, r"senses\[0\].words is 'plantet', .* did you mean planted"),
        ({"senses": [{**SENSES, "recipe": "maca"}]}, r"senses\[0\].recipe is 'maca', .* did you mean maco"),
        ({"senses": [{**SENSES, "window": 0}]}, "senses.0.window is 0: 0 is less than or equal to the minimum of 0"),
        ({"senses": [SENSES] * 2}, r"senses\[1\] repeats scenes, planted_sums of an earlier entry: join them"),
        ({"sensing": {"fewest": 400}}, "sensing.fewest is 400, more than images, 300: no sense could be told"),
        ({"sensing": {"most": 20}}, "sensing.fewest is 24, should be at least twice most, 20: halves are grouped"),
    ],
)
def test_a_wrong_name_is_told_and_nothing_else(updates, said, default_config, mistakes):
    found = mistakes(default_config(updates))
    assert len(found) == 1, found
    assert re.search(said, found[0]), found[0]
