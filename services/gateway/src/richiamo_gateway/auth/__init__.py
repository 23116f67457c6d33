"""Who is asking, and may they? Passwords, sessions, roles."""
