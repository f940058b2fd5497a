"""matrix.yaml brought up to date: the pins it should have, and the edit that gives it them."""
