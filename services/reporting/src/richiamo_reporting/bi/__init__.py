"""What does an analyst see in SQL?"""
