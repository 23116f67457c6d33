"""How is a number put right that a PBX writes in its own way? The first rule that fits replaces it.

A rule is a line `pattern = replacement`, in the manner of a PBX's dial plan: digits, `+`, `*` and `#` stand for
themselves, `X` for any one digit, and `.` at the end for whatever follows, nothing included. In the replacement
`X` and `.` bring back what they stood for. Each sign is looked at once: no rule can be slow.
"""

from dataclasses import dataclass

MOST_RULES = 100
_LONGEST = 40
_SIGNS = frozenset("0123456789+*#")
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One rule; make it with `read_rewrite`, which checks it."""

    pattern: str
    replacement: str

    def apply(self, number: str) -> str | None:
        """The number put right, or None when the rule does not fit. `number` holds no spaces or separators."""
        open_end = self.pattern.endswith(".")
        fixed = self.pattern.removesuffix(".")
        if len(number) < len(fixed) or (len(number) > len(fixed) and not open_end):
            return None
        caught: list[str] = []
        for wanted, sign in zip(fixed, number, strict=False):
            if wanted == "X" and sign in _DIGITS:
                caught.append(sign)
            elif wanted != sign:
                return None
        digits = iter(caught)
        rest = number[len(fixed) :]
        return "".join(next(digits) if one == "X" else rest if one == "." else one for one in self.replacement)


def read_rewrite(line: str) -> Rewrite:
    """A rule from its line. Raises `ValueError` with a sentence that says what is wrong with it."""
    pattern, equals, replacement = (part.strip() for part in line.partition("="))
    if not equals or not pattern or not replacement:
        raise ValueError(f"{line!r}: write pattern = replacement, such as 0039. = +39.")
    if len(pattern) > _LONGEST or len(replacement) > _LONGEST:
        raise ValueError(f"{line[:60]!r}: pattern and replacement have at most {_LONGEST} signs.")
    for part in (pattern, replacement):
        if not set(part.removesuffix(".")) <= _SIGNS | {"X"}:
            raise ValueError(f"{line!r}: only digits, +, * and #, X for a digit, and one . at the end.")
    if pattern == ".":
        raise ValueError(f"{line!r}: this would change every number; begin with the signs it is about.")
    if replacement.count("X") > pattern.count("X") or (replacement.endswith(".") and not pattern.endswith(".")):
        raise ValueError(f"{line!r}: the replacement brings back more than the pattern holds.")
    return Rewrite(pattern, replacement)


def rewritten(number: str, rules: tuple[Rewrite, ...]) -> str | None:
    """What the first rule that fits makes of the number; None when none does."""
    return next((found for rule in rules if (found := rule.apply(number)) is not None), None)
