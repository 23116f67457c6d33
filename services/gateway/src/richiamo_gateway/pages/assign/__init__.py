"""Who calls whom back? A supervisor hands customers out."""
