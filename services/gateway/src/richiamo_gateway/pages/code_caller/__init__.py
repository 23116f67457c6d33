"""How did each queue do?"""
