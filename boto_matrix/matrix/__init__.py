"""matrix.yaml: its text, its form, and the pins and cells that it means."""
