"""How is Richiamo started, fed, checked and repaired?"""
