"""Running cells: tox and its environments, what is heard from them, and the results that come of it."""
