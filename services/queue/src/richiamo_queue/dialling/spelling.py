"""How is a number typed on this site's phones? National within the country, 00 before the others."""

import phonenumbers


def as_typed(number: str, *, country: str, outside_prefix: str) -> str:
    """The digits the PBX dials for a caller's number: E.164, or the digits of what has no E.164 form.

    Internal numbers have no `+` and get no outside prefix; the Italian leading zero is kept.
    """
    if not number.startswith("+"):
        return number
    parsed = phonenumbers.parse(number)
    spelled = phonenumbers.format_out_of_country_calling_number(parsed, country)
    return outside_prefix + "".join(one for one in spelled if one.isdigit())
