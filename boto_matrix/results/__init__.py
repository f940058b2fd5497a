"""The results of a run: their form, their files, and several of them as one."""
