"""What can everybody change about themselves, and where are they logged in?"""
