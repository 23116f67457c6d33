"""What are the pages made of? Every component in every state, rendered by the templates that the pages use."""
