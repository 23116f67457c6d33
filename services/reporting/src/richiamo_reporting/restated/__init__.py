"""Which days have other figures than they had when they were settled, since when, and why?"""
