"""What is this browser called? The name a person knows it by, from what it calls itself."""

_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_name(told: str) -> str:
    """`Firefox, Linux`; a program by the first word it says; empty for one that says nothing."""
    named = [next((name for sign, name in signs if sign in told), "") for signs in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in named if name) or told.split("/", maxsplit=1)[0][:40]
