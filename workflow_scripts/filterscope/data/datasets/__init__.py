"""Reference datasets of photographs: COCO, Visual Genome and plain folders, with the masks of their objects."""
