"""What a CI needs around a run: the plan of its machines, GitHub's issue, a pull request."""
