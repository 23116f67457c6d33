"""What may be done about one caller? Commands, the pure decision, and the refusals."""
