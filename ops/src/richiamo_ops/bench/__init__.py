"""What does Richiamo cost, and what limits it? Measured on a system of its own, each figure beside a floor."""
