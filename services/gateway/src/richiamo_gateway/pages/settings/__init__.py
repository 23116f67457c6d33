"""By which rules does the site work, and who changed them?"""
