"""Networks whose width can be scaled to a capacity, and their training."""
