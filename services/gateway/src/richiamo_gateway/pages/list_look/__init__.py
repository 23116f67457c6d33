"""How does a list look to the person who reads it, and how do they change that?"""
