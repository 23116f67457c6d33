"""What are the sheets of a workbook called, and the lines that explain it? In Italian and English, others by their catalogue."""

from collections.abc import Mapping

from richiamo_kit.further_languages import told

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
    "call_reserved": ("Prenotata", "Reserved"),
    "call_assigned": ("Assegnata", "Assigned"),
    "reservation_released": ("Prenotazione finita", "Reservation ended"),
    "call_flushed": ("Chiusa senza richiamata", "Closed without a recall"),
    "flush_undone": ("Chiusura annullata", "Closing undone"),
    "caller_shown": ("Mostrata di nuovo", "Shown again"),
    "recall_started": ("Richiamata avviata", "Recall started"),
    "recall_failed": ("Chiamata senza cartellino", "Call without a record"),
    "recall_disputed": ("Era una segreteria", "It was an answering machine"),
    "caller_erased": ("Numero cancellato", "Number erased"),
    "note_written": ("Nota scritta", "Note written"),
    "operator_changed": ("Utente", "User"),
    "settings_changed": ("Impostazioni", "Settings"),
    "requests": ("Richieste", "Requests"),
    "figure": ("Dato", "Figure"),
    "number": ("Numero", "Number"),
    "called": ("Numero chiamato", "Called number"),
    "source": ("Linea", "Line"),
    "account_code": ("Codice account", "Account code"),
    "first_call": ("Prima chiamata", "First call"),
    "last_call": ("Ultima chiamata", "Last call"),
    "missed": ("Telefonate perse", "Missed calls"),
    "recalls": ("Richiamate tentate", "Recalls tried"),
    "last_recall": ("Ultima richiamata", "Last recall"),
    "outcome": ("Esito", "Outcome"),
    "closed_at": ("Chiusa il", "Closed at"),
    "reserved_by_name": ("Prenotata da", "Reserved by"),
    "audit": ("Registro", "Audit"),
    "audit-when": ("Quando", "When"),
    "audit-who": ("Chi", "Who"),
    "audit-what": ("Che cosa", "What"),
    "audit-number": ("Numero", "Number"),
    "audit-concerns": ("Riguarda", "Concerns"),
    "audit-details": ("Dettagli", "Details"),
}


def phrase(name: str, language: str) -> str:
    """The words in any language there is."""
    italian, english = _PHRASES[name]
    return italian if language == "it" else told(english, language)


def english() -> list[str]:
    """All of them, as a catalogue of a further language translates them."""
    return list(dict.fromkeys(text for _, text in _PHRASES.values()))
