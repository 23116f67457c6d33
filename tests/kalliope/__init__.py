"""How does a Kalliope behave? A conformance simulator of its REST interface, traps included.

Written from `protocols.md`, independently of the services, so that both can be held against it.
"""
