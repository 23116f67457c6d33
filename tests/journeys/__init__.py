"""Does the whole of Richiamo do its job, seen from outside, on real servers?"""
