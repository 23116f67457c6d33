"""Why is a request, or a figure, what it is? The events and the rules that led there, in words."""
