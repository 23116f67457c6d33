"""How is one day going, and what is left to handle?"""
