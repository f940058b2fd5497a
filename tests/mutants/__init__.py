"""Small bugs, each put into a copy of the patch, to prove that the tests notice: `make mutants`."""
