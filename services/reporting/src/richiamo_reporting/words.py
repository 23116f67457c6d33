"""What are the sheets of a workbook called, and the lines that explain it? In Italian and English."""

from collections.abc import Mapping

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
    "restated": ("Giorni rettificati", "Restated days"),
    "first_at": ("Registrato", "Recorded"),
    "last_at": ("fino al", "until"),
    "changes": ("Registrazioni", "Records"),
    "record": ("A causa di", "Because of"),
    "by": ("Di quanto", "By how much"),
    "zone": ("Fuso orario", "Time zone"),
}


def phrase(name: str, language: str) -> str:
    return _PHRASES[name][0 if language == "it" else 1]
