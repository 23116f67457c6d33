"""Who may recall whom now, and what is left to recall?"""
