"""What do the facts add up to, day by day? Sums that the reports of now read instead of years of calls."""
