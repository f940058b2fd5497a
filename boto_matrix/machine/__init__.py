"""What this machine has: its Pythons, and its files."""
