"""Who is to be called back now, and who was at a past instant? The view behind every list of requests."""
