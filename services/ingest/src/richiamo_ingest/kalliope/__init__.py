"""How does a Kalliope speak? Bytes in, values out; nothing here knows the log."""
