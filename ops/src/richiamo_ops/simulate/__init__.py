"""What would a busy call centre do to Richiamo? A PBX, its customers and its operators in one command.

`script` and what it needs are pure: a seed gives who does what at which instant. `player` carries it
out over HTTP, exactly as a PBX and browsers would. `command.simulate` is what the command line mounts.
"""

from richiamo_ops.simulate.command import simulate

__all__ = ["simulate"]
