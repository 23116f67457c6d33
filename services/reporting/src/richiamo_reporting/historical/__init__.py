"""How many customers were lost on each day, and who is not called back yet?"""
