"""How many requests were opened, and how did each end?"""
