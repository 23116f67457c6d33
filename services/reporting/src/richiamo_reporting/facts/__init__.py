"""What do all reports stand on? Calls, requests, recalls and reservations, each with when it was recorded."""
