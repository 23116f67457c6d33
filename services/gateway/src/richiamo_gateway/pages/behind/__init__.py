"""Which requests are behind a figure?"""
