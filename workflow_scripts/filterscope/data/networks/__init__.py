"""Networks come in: torchvision's, checkpoints, factories, Caffe's, and those of the embedded study."""
