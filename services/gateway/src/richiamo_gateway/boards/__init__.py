"""What does somebody want to see at a glance? Boards of widgets, everybody's own, some shown to all."""
