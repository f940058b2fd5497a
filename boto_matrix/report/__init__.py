"""Results shown: as a page for a browser, as Markdown, as a badge, and in the terminal."""
