"""Which customers need no recall? A supervisor closes what is open, and can undo it."""
