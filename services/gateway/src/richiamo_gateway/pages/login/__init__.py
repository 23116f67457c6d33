"""How does one come in?"""
