"""How did the days go?"""
