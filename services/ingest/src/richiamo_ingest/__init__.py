"""How does what a PBX says become facts in the log?"""
