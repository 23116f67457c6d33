"""Where is that number, or that page?"""
