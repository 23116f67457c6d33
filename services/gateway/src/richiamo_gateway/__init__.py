"""How do browsers and integrators reach Richiamo? One HTTP port: pages, JSON API, live changes."""
