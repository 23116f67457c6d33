"""How does a part of the log get out of it again? Chosen, at a pace, as lines or into a stream, and gone on with later."""
