"""Which calls did the PBX record that nobody told us? Asked for again and again, from where the last answer ended."""
