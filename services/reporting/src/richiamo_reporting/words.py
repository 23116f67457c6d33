"""What is each figure called, and what does it mean? Heads and definitions in Italian and English (`reports.md`)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The name of a figure and its definition in one language."""

    name: str
    definition: str = ""


_FIGURES: Mapping[str, tuple[Words, Words]] = {
    "day": (Words("Giorno"), Words("Day")),
    "queue": (Words("Nome"), Words("Queue")),
    "total": (
        Words("Totale", "Richieste aperte nel periodo o nel giorno."),
        Words("Total", "Requests opened in the period or on the day."),
    ),
    "served": (
        Words("Servite in ingresso", "Chiuse perché il cliente ha richiamato e ha avuto risposta."),
        Words("Served", "Closed because the caller rang again and was answered."),
    ),
    "recalled": (
        Words("Gestite con richiamata", "Chiuse da una richiamata andata a buon fine."),
        Words("Recalled", "Closed by a successful recall."),
    ),
    "flushed": (
        Words("Chiusura forzata", "Chiuse da un supervisore, per età o per cancellazione."),
        Words("Flushed", "Closed by a supervisor, by age or by erasure."),
    ),
    "unanswered": (
        Words(
            "Richiamate senza risposta", "Aperte, con almeno una richiamata tentata; sul backlog: tentata quel giorno."
        ),
        Words("Unanswered", "Open, at least one recall tried; on backlog: tried on that day."),
    ),
    "unhandled": (
        Words("Non gestite", "Aperte, senza alcuna richiamata tentata."),
        Words("Unhandled", "Open, no recall tried."),
    ),
    "total_calls": (
        Words("Telefonate totali", "Telefonate perse nel giorno, anonime comprese; le risposte non vi sono contate."),
        Words("Total calls", "Missed calls of the day, withheld included; answered calls are not in it."),
    ),
    "total_callers": (
        Words("Clienti totali", "Clienti distinti di quelle telefonate, anonimi esclusi."),
        Words("Total callers", "Distinct callers of those calls, withheld excluded."),
    ),
    "handled_callers": (
        Words("Clienti gestiti", "Di questi, clienti senza richieste aperte."),
        Words("Handled callers", "Of those, callers with no request open."),
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
            "Media richiamata (s)",
            "Media del tempo tra la prima telefonata persa e la risposta alla richiamata andata a buon fine, sulle "
            "richieste richiamate nel giorno.",
        ),
        Words(
            "Mean time to recall (s)",
            "Mean of answer of the successful recall less first missed call, over the requests recalled on the day.",
        ),
    ),
    "requests_to_handle": (
        Words("Richieste da gestire", "Richieste aperte nel giorno e ancora aperte."),
        Words("Requests to handle", "Requests opened on the day and still open."),
    ),
    "requests_to_handle_pct": (
        Words("% richieste da gestire", "Delle richieste totali."),
        Words("% requests to handle", "Of total requests."),
    ),
    "unreserved_to_handle": (
        Words("Richieste non prenotate da gestire", "Richieste da gestire il cui cliente non è prenotato."),
        Words("Unreserved to handle", "Requests to handle whose caller has no reservation."),
    ),
    "unreserved_to_handle_pct": (
        Words("% richieste non prenotate", "Delle richieste totali."),
        Words("% unreserved", "Of total requests."),
    ),
    "callers_not_contacted": (
        Words(
            "Clienti non contattati",
            "Dei clienti totali, quelli con una richiesta aperta e nessuna richiamata tentata per le loro richieste "
            "aperte, in qualunque giorno.",
        ),
        Words(
            "Callers not contacted",
            "Of total callers, those with a request open, none of whose open requests has had a recall tried, on "
            "whatever day.",
        ),
    ),
    "calls": (
        Words("Telefonate", "Tutte le telefonate perse fino alla fine del giorno delle richieste ancora aperte."),
        Words("Calls", "All missed calls until the end of the day of the requests still open."),
    ),
    "requests": (
        Words("Richieste", "Richieste aperte prima del giorno e ancora aperte."),
        Words("Requests", "Requests opened before the day and still open."),
    ),
    "callers": (
        Words("Clienti", "Clienti distinti, anonimi esclusi."),
        Words("Callers", "Distinct callers, withheld excluded."),
    ),
    "recalled_today": (
        Words("Richiamate nel giorno", "Richieste del backlog chiuse nel giorno da una richiamata andata a buon fine."),
        Words("Recalled on the day", "Requests of the backlog closed on the day by a successful recall."),
    ),
    "unreserved": (
        Words("Non prenotate", "Richieste ancora aperte il cui cliente non è prenotato."),
        Words("Unreserved", "Requests still open whose caller has no reservation."),
    ),
    "unreserved_pct": (
        Words("% non prenotate", "Delle richieste ancora aperte."),
        Words("% unreserved", "Of the requests still open."),
    ),
    "answered_calls": (
        Words("Telefonate risposte", "Telefonate in ingresso a cui un operatore di quella coda ha risposto."),
        Words("Answered calls", "Inbound calls that an operator answered on that queue."),
    ),
    "missed_calls": (
        Words("Telefonate perse", "Telefonate perse, anonime comprese."),
        Words("Missed calls", "Missed calls, withheld included."),
    ),
    "numbers": (
        Words("Numeri", "Numeri distinti che hanno chiamato; gli anonimi non sono numeri."),
        Words("Numbers", "Distinct numbers that called; withheld ones are no numbers."),
    ),
    "numbers_answered": (
        Words("Numeri risposti", "Numeri con almeno una risposta quel giorno su quella coda."),
        Words("Numbers answered", "Numbers answered at least once that day on that queue."),
    ),
    "numbers_not_answered": (
        Words("Numeri mai risposti", "Numeri senza alcuna risposta quel giorno su quella coda."),
        Words("Numbers never answered", "Numbers not answered that day on that queue."),
    ),
    "recalled_reached": (
        Words(
            "Richiamati e raggiunti", "L'ultima richiesta del numero in quel giorno è stata chiusa da una richiamata."
        ),
        Words("Recalled and reached", "The number's last request of that day was closed by a recall."),
    ),
    "recalled_not_reached": (
        Words("Richiamati e non raggiunti", "Non raggiunti, con una richiamata tentata."),
        Words("Recalled and not reached", "Not reached, with a recall tried."),
    ),
    "not_recalled": (
        Words("Non richiamati", "Gli altri numeri mai risposti."),
        Words("Not recalled", "The other numbers never answered."),
    ),
    "not_yet": (
        Words("Non ancora richiamati", "Clienti con una richiesta di quel giorno ancora aperta."),
        Words("Not yet recalled", "Callers with a request of that day still open."),
    ),
    "historical.recalled": (
        Words("Richiamati", "Gli altri: richiamati, serviti o chiusi."),
        Words("Recalled", "The rest: called back, served or closed."),
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

_PHRASES: Mapping[str, tuple[str, str]] = {
    "dashboard": ("Dashboard", "Dashboard"),
    "day-report": ("Report", "Report"),
    "code-caller": ("Report Code Caller", "Report Code Caller"),
    "historical": ("Report Storico", "Report Historical"),
    "totals": ("Totali", "Totals"),
    "days": ("Per giorno", "Per day"),
    "backlog": ("Backlog", "Backlog"),
    "today": ("Giorno", "Day"),
    "queues": ("Code", "Queues"),
    "about": ("Informazioni", "About"),
    "report": ("Report", "Report"),
    "period": ("Periodo", "Period"),
    "filters": ("Filtri", "Filters"),
    "type": ("Tipo", "Type"),
    "names": ("Nome", "Queue"),
    "none": ("nessuno", "none"),
    "author": ("Autore", "Author"),
    "as_of": ("Situazione al", "As of"),
    "made": ("Creato il", "Made at"),
    "definitions": ("Definizioni", "Definitions"),
    "callers_between": ("Clienti per giorno", "Callers a day"),
    "zone": ("Fuso orario", "Time zone"),
}


def figure(name: str, language: str, report: str = "") -> Words:
    """The name and definition of a figure; some have others in one report."""
    found = _FIGURES.get(f"{report}.{name}") or _FIGURES[name]
    return found[0 if language == "it" else 1]


def phrase(name: str, language: str) -> str:
    return _PHRASES[name][0 if language == "it" else 1]
