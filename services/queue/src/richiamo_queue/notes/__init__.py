"""What did people write about a customer? The texts beside the log, and the words about them in it."""
