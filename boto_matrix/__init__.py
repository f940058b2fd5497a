"""The harness: matrix.yaml becomes tox environments, their results, and what is to be read from them."""
