"""How does each person like their lists? Row density, columns, and views with a name."""
