"""A network looks at a dataset once: pooled activations, maxima and thresholds."""
