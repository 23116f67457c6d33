"""How many customers were lost over time, and how many have not been called back?"""
