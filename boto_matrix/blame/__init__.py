"""Who is at fault in a cell that failed."""
