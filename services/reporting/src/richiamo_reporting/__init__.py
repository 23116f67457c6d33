"""What do the reports say, now or as of any instant?"""
