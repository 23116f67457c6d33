"""Who is in the simulated call centre? Its queues, lines, operators and customers, drawn from a seed."""

from dataclasses import dataclass
from random import Random

QUEUES = ("Assistenza", "Vendite", "Amministrazione", "Prenotazioni")
LINES = ("TIM-1", "TIM-2", "Fibra")
SWITCHBOARD = "200"
"""The receptionist's extension, who transfers calls into queues."""

_AREAS = ("02", "06", "011", "050", "051", "055", "081", "0583", "0187")
_MOBILES = ("320", "328", "333", "338", "347", "349", "366", "393")
_FOREIGN = ("+41446681", "+44207946", "+49308912", "+33142687")
_WITHHELD = ("anonymous", "", "unknown", "%CALLERNUM%")
_OPERATORS = (
    ("anna.rossi", "Anna Rossi"),
    ("bruno.bianchi", "Bruno Bianchi"),
    ("carla.verdi", "Carla Verdi"),
    ("dario.gallo", "Dario Gallo"),
    ("elena.fontana", "Elena Fontana"),
    ("fabio.greco", "Fabio Greco"),
    ("giulia.marino", "Giulia Marino"),
    ("hugo.conti", "Hugo Conti"),
)


@dataclass(frozen=True, slots=True)
class Operator:
    """A person at a desk: a user of Richiamo and an extension of the PBX."""

    username: str
    name: str
    extension: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who rings. `number` is E.164, or empty when the number is always withheld."""

    number: str
    spellings: tuple[str, ...]
    """How the PBX may show the same number, from call to call."""

    @property
    def dialled(self) -> str:
        """The number as an operator's telephone dials it: national, or with 00 for abroad."""
        if self.number.startswith("+39"):
            return self.number[3:]
        return "00" + self.number[1:]


@dataclass(frozen=True, slots=True)
class Scene:
    """Everybody and everything that the script moves about."""

    queues: tuple[str, ...]
    lines: tuple[str, ...]
    operators: tuple[Operator, ...]
    customers: tuple[Customer, ...]


def italian(national: str) -> Customer:
    """A customer with an Italian number, in the spellings that lines and trunks produce."""
    return Customer(
        number=f"+39{national}",
        spellings=(national, f"+39{national}", f"0039{national}", f"+39 {national[:3]} {national[3:]}"),
    )


def foreign(e164: str) -> Customer:
    """A customer from abroad: with a plus sign or with two zeros."""
    return Customer(number=e164, spellings=(e164, f"00{e164[1:]}"))


def withheld() -> Customer:
    """Somebody who hides the number: nobody can ring back, but the call counts."""
    return Customer(number="", spellings=_WITHHELD)


def operators(count: int) -> tuple[Operator, ...]:
    """The first `count` operators, extensions from 201 up.

    >>> operators(1)[0].extension
    '201'
    """
    known = [Operator(user, name, str(201 + i)) for i, (user, name) in enumerate(_OPERATORS[:count])]
    more = [Operator(f"operatore{i}", f"Operatore {i}", str(200 + i)) for i in range(len(_OPERATORS) + 1, count + 1)]
    return (*known, *more)


def scene(seed: int, *, operator_count: int, customer_count: int = 1500) -> Scene:
    """Draw a call centre: of 100 customers about 55 land lines, 36 mobiles, 5 abroad and 4 withheld."""
    rng = Random(f"people/{seed}")  # noqa: S311 -- A play, no secret.
    return Scene(
        queues=QUEUES,
        lines=LINES,
        operators=operators(operator_count),
        customers=tuple(_customer(rng) for _ in range(customer_count)),
    )


def _customer(rng: Random) -> Customer:
    kind = rng.random()
    if kind < 0.04:
        return withheld()
    if kind < 0.09:
        return foreign(rng.choice(_FOREIGN) + _digits(rng, 4))
    if kind < 0.45:
        return italian(rng.choice(_MOBILES) + _digits(rng, 7))
    area = rng.choice(_AREAS)
    return italian(area + str(rng.randint(1, 9)) + _digits(rng, 9 - len(area)))


def _digits(rng: Random, count: int) -> str:
    return "".join(str(rng.randint(0, 9)) for _ in range(count))
