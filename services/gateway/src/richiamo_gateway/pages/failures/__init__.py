"""What does a person see when something cannot be shown?"""
