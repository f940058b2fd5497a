"""The first release at which a cell ends otherwise, found by running cells."""
