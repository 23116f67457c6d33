"""Where are events kept? The port, its in-memory twin, and NATS JetStream."""
