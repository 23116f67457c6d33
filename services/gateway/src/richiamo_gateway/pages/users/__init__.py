"""Who works here, and with which rights?"""
