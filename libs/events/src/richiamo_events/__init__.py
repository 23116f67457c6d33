"""Which words do Richiamo's services share? The events, their envelope, and the fold of one caller."""
