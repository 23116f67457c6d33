"""How does one day stand, and what is left from the days before?"""
