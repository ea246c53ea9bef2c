"""Entries of a config that the tests add to the default one."""

COCO = {"coco": {"source": "coco", "folder": "photographs"}}
FOLDER = {"holiday": {"source": "folder", "folder": "photographs", "reference": "scenes"}}
GENOME = {"source": "visual_genome", "vocabulary": "captions"}
EXPLANATION = {"dataset": "scenes", "probe": "planted", "vocabulary": "captions"}
PICTURES = {"dataset": "scenes", "probe": "planted", "recipe": "fourier", "filters": [0, 1]}
FACETS = {"dataset": "scenes", "probe": "planted", "classes": {"circle": 0}, "recipe": "mean"}
DUEL = {"network": "convnet", "samples": "digits", "schedules": ["constant"], "seeds": [0]}
RANGE = {"network": "convnet", "samples": "digits", "schedule": "constant", "moments": [0.0]}
CAFFE = {"source": "caffe", "prototxt": "deploy.prototxt", "caffemodel": "net.caffemodel"}
CLIP = {"source": "open_clip", "model": "ViT-B-32"}
RESNET = {"resnet18": {"source": "torchvision", "architecture": "resnet18"}}
SENSES = {"dataset": "scenes", "probe": "planted_sums", "filters": "all"}
