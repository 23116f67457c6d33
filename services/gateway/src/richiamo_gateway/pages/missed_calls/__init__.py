"""Who has to be called back, and whom do I call?"""
