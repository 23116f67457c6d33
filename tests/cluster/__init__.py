"""Does the whole of Richiamo bear what happens to its servers, when it runs on several?"""
