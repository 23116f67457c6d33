"""How quick are the reports over years of calls?"""
