"""Who did what, and when? Every decision of a person or a timer, as the log holds it (decision 0019)."""
