"""How does a page list every customer still in hand, one row each?"""
