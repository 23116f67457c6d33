"""How far is the workbook that I asked for?"""
