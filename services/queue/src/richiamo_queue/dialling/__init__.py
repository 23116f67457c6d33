"""How is the customer's phone made to ring? One port, several kinds of PBX."""
