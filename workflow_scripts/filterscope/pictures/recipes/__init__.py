"""How pictures are optimised: the recipes of activation maximisation and what they share."""
