"""The commands of `python -m aistore_patch`: run programs patched, and find out why something does not work."""
