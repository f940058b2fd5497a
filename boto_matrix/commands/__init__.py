"""The commands of `python -m boto_matrix`, a module each, with `add_arguments` and `main`."""
