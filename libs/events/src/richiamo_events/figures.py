"""What is each figure called, and what does it mean? The sentences of the definitions, for pages, workbooks and BI.

A figure that means something else in one report or section has an entry of its own: `historical.recalled`,
`backlog.requests`. English texts are the definitions themselves; the Italian ones say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The name of a figure and its definition in one language; heads that count nothing have no definition."""

    name: str
    definition: str = ""


_FIGURES: Mapping[str, tuple[Words, Words]] = {
    "day": (Words("Giorno"), Words("Day")),
    "queue": (Words("Coda"), Words("Queue")),
    "total": (
        Words("Totale", "Richieste aperte nel periodo o nel giorno."),
        Words("Total", "Requests opened in the period or on the day."),
    ),
    "served": (
        Words(
            "Servite in ingresso",
            "Chiuse prima della fine del periodo o del giorno perché il cliente ha richiamato e ha avuto risposta.",
        ),
        Words(
            "Served",
            "Closed before the end of the period or day because the caller rang again and was answered.",
        ),
    ),
    "recalled": (
        Words(
            "Gestite con richiamata",
            "Chiuse prima della fine del periodo o del giorno da una richiamata andata a buon fine.",
        ),
        Words("Recalled", "Closed before the end of the period or day by a successful recall."),
    ),
    "flushed": (
        Words(
            "Chiusura forzata",
            "Chiuse prima della fine del periodo o del giorno da un supervisore (o per età o cancellazione, distinte "
            "nei dettagli).",
        ),
        Words(
            "Flushed",
            "Closed before the end of the period or day by a supervisor (or by age or erasure, told apart in the "
            "details).",
        ),
    ),
    "unanswered": (
        Words(
            "Richiamate senza risposta",
            "Aperte alla fine del periodo o del giorno, con almeno una richiamata tentata prima.",
        ),
        Words("Unanswered", "Open at the end of the period or day, at least one recall was tried before it."),
    ),
    "unhandled": (
        Words("Non gestite", "Aperte alla fine del periodo o del giorno, nessuna richiamata tentata."),
        Words("Unhandled", "Open at the end of the period or day, no recall tried."),
    ),
    "backlog.served": (
        Words(
            "Servite in ingresso",
            "Richieste aperte prima del giorno e ancora aperte al suo inizio, servite in ingresso quel giorno.",
        ),
        Words("Served", "Requests opened before the day and open at its start: served on the day."),
    ),
    "backlog.recalled": (
        Words(
            "Gestite con richiamata",
            "Richieste aperte prima del giorno e ancora aperte al suo inizio, gestite con richiamata quel giorno.",
        ),
        Words("Recalled", "Requests opened before the day and open at its start: recalled on the day."),
    ),
    "backlog.flushed": (
        Words(
            "Chiusura forzata",
            "Richieste aperte prima del giorno e ancora aperte al suo inizio, chiuse forzatamente quel giorno.",
        ),
        Words("Flushed", "Requests opened before the day and open at its start: flushed on the day."),
    ),
    "backlog.unanswered": (
        Words(
            "Richiamate senza risposta",
            "Richieste aperte prima del giorno e ancora aperte alla sua fine, con almeno una richiamata tentata quel "
            "giorno.",
        ),
        Words(
            "Unanswered",
            "Requests opened before the day and open at its end with at least one recall tried on the day.",
        ),
    ),
    "total_calls": (
        Words("Telefonate totali", "Telefonate perse nel giorno, anonime comprese; quelle con risposta non vi sono."),
        Words("Total calls", "Missed calls on the day, withheld included; answered calls are not in it."),
    ),
    "total_callers": (
        Words("Clienti totali", "Clienti distinti di quelle telefonate, anonimi esclusi."),
        Words("Total callers", "Distinct callers of those, withheld excluded."),
    ),
    "handled_callers": (
        Words("Clienti gestiti", "Dei clienti totali, quelli senza alcuna richiesta aperta."),
        Words("Handled callers", "Of the total callers, those with no request open."),
    ),
    "not_handled_callers": (
        Words("Clienti non gestiti", "Clienti totali meno clienti gestiti."),
        Words("Callers not handled", "Total callers less handled callers."),
    ),
    "total_requests": (
        Words("Richieste totali", "Richieste aperte nel giorno."),
        Words("Total requests", "Requests opened on the day."),
    ),
    "requests_recalled": (
        Words(
            "Richieste richiamate + backlog",
            "Richieste, aperte nel giorno o prima, chiuse nel giorno da una richiamata andata a buon fine.",
        ),
        Words(
            "Requests recalled + backlog",
            "Requests, opened on the day or before, closed on the day by a successful recall.",
        ),
    ),
    "mean_bill_seconds": (
        Words(
            "Media Bill Secs",
            "Media dei secondi di conversazione delle richiamate con risposta nel giorno che hanno chiuso almeno una "
            "richiesta, ogni richiamata una volta.",
        ),
        Words(
            "Mean bill seconds",
            "Mean talk seconds of the recalls answered on the day that closed at least one request, each recall once.",
        ),
    ),
    "mean_seconds_to_recall": (
        Words(
            "Media richiamata",
            "Media del tempo dalla prima telefonata persa alla risposta della richiamata andata a buon fine, sulle "
            "richieste richiamate nel giorno.",
        ),
        Words(
            "Mean time to recall",
            "Mean of the time from the first missed call to the answer of the successful recall, over the requests "
            "recalled on the day.",
        ),
    ),
    "requests_to_handle": (
        Words("Richieste da gestire", "Richieste aperte nel giorno e ancora aperte."),
        Words("Requests to handle", "Requests opened on the day and still open."),
    ),
    "requests_to_handle_pct": (
        Words("% richieste da gestire", "Richieste da gestire, in percentuale delle richieste totali."),
        Words("% requests to handle", "Requests to handle, of total requests."),
    ),
    "unreserved_to_handle": (
        Words("Richieste non prenotate da gestire", "Richieste da gestire il cui cliente non è prenotato."),
        Words("Unreserved to handle", "Requests to handle whose caller has no reservation."),
    ),
    "unreserved_to_handle_pct": (
        Words(
            "% richieste non prenotate", "Richieste non prenotate da gestire, in percentuale delle richieste totali."
        ),
        Words("% unreserved", "Unreserved requests to handle, of total requests."),
    ),
    "callers_not_contacted": (
        Words(
            "Clienti non contattati",
            "Dei clienti totali, quelli con una richiesta aperta alla fine del giorno e nessuna richiamata tentata per "
            "alcuna delle loro richieste aperte, in qualunque giorno.",
        ),
        Words(
            "Callers not contacted",
            "Of total callers, those with a request open at the end of the day, none of whose open requests has had a "
            "recall tried, on whatever day.",
        ),
    ),
    "calls": (
        Words(
            "Telefonate",
            "Tutte le telefonate perse fino alla fine del giorno delle richieste di backlog ancora aperte, quelle del "
            "giorno comprese.",
        ),
        Words(
            "Calls",
            "All missed calls until the end of the day of the backlog requests still open, those of the day included.",
        ),
    ),
    "requests": (
        Words("Richieste", "Richieste aperte prima del giorno e ancora aperte alla sua fine."),
        Words("Requests", "Requests opened before the day and still open at its end."),
    ),
    "callers": (
        Words("Clienti", "Clienti delle richieste di backlog ancora aperte."),
        Words("Callers", "Callers of the backlog requests still open."),
    ),
    "recalled_today": (
        Words("Richiamate nel giorno", "Richieste di backlog chiuse nel giorno da una richiamata andata a buon fine."),
        Words("Recalled on the day", "Backlog requests closed on the day by a successful recall."),
    ),
    "unreserved": (
        Words("Non prenotate", "Richieste di backlog ancora aperte il cui cliente non è prenotato."),
        Words("Unreserved", "Backlog requests still open whose caller has no reservation."),
    ),
    "unreserved_pct": (
        Words("% non prenotate", "Non prenotate, in percentuale delle richieste di backlog ancora aperte."),
        Words("% unreserved of the backlog", "Unreserved, of the backlog requests still open."),
    ),
    "answered_calls": (
        Words("Telefonate risposte", "Telefonate in ingresso a cui un operatore di quella coda ha risposto."),
        Words("Answered calls", "Inbound calls answered by an operator on that queue."),
    ),
    "missed_calls": (
        Words("Telefonate perse", "Telefonate perse, anonime comprese."),
        Words("Missed calls", "Missed calls, withheld included."),
    ),
    "numbers": (
        Words("Numeri", "Numeri distinti che hanno chiamato; gli anonimi non sono numeri."),
        Words("Numbers", "Distinct numbers that called; withheld calls are no numbers."),
    ),
    "numbers_answered": (
        Words("Numeri risposti", "Numeri con almeno una risposta quel giorno su quella coda."),
        Words("Numbers answered", "Numbers answered at least once that day on that queue."),
    ),
    "numbers_not_answered": (
        Words("Numeri mai risposti", "Numeri senza alcuna risposta quel giorno su quella coda."),
        Words("Numbers never answered", "Numbers never answered that day on that queue."),
    ),
    "recalled_reached": (
        Words(
            "Richiamati e raggiunti",
            "Dei numeri mai risposti: la loro ultima richiesta su quella coda con una telefonata persa del giorno è "
            "stata chiusa da una richiamata.",
        ),
        Words(
            "Recalled and reached",
            "Of the numbers never answered: their last request on that queue that has a missed call of that day was "
            "closed by a recall.",
        ),
    ),
    "recalled_not_reached": (
        Words("Richiamati e non raggiunti", "Dei numeri mai risposti: non raggiunti, con una richiamata tentata."),
        Words("Recalled and not reached", "Of the numbers never answered: not reached, with a recall tried."),
    ),
    "not_recalled": (
        Words("Non richiamati", "Gli altri numeri mai risposti."),
        Words("Not recalled", "The rest of the numbers never answered."),
    ),
    "historical.callers": (
        Words("Clienti", "Clienti distinti con una telefonata persa quel giorno, anonimi esclusi."),
        Words("Callers", "Distinct callers with a missed call on the day, withheld excluded."),
    ),
    "not_yet": (
        Words(
            "Non ancora richiamati", "Clienti con una richiesta ancora aperta che ha una telefonata persa del giorno."
        ),
        Words("Not yet recalled", "Callers of whom a request with a missed call of that day is still open."),
    ),
    "historical.recalled": (
        Words("Richiamati, serviti o chiusi", "Gli altri: richiamati, serviti in ingresso o chiusi."),
        Words("Recalled, served or closed", "The rest: those called back, served and closed."),
    ),
    "called_back": (
        Words("di cui richiamati", "La loro ultima richiesta chiusa lo è stata da una richiamata."),
        Words("of which called back", "Their last closed request was closed by a recall."),
    ),
    "historical.served": (
        Words("di cui serviti", "La loro ultima richiesta chiusa è stata servita in ingresso."),
        Words("of which served", "Their last closed request was served."),
    ),
    "closed": (
        Words("di cui chiusi", "La loro ultima richiesta chiusa è stata una chiusura forzata."),
        Words("of which closed", "Their last closed request was flushed."),
    ),
}


def figure(name: str, language: str, report: str = "") -> Words:
    """The name and definition of a figure in `it` or else English; `report` is the report or the section.

    In a further language: `richiamo_kit.further_languages.figure`.
    Raises `KeyError` for a figure that there is not.
    """
    found = _FIGURES.get(f"{report}.{name}") or _FIGURES[name]
    return found[0 if language == "it" else 1]


def known(name: str, report: str = "") -> bool:
    """Whether there is such a figure."""
    return f"{report}.{name}" in _FIGURES or name in _FIGURES


def english() -> list[str]:
    """Every name and definition, as a catalogue of a further language translates them."""
    said = [words for _, words in _FIGURES.values()]
    return list(dict.fromkeys(text for words in said for text in (words.name, words.definition) if text))
