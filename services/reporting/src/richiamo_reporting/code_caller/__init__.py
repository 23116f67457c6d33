"""How did each queue do, day by day?"""
