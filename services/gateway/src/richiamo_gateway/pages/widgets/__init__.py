"""What do I want to see at a glance? Boards of figures, tables and charts."""
