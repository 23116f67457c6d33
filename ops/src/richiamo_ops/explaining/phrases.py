"""How is it said, in Italian, in English and in a further language? Each sentence names the rule that it follows."""

from collections.abc import Mapping

from richiamo_kit.further_languages import told

_PHRASES: Mapping[str, tuple[str, str]] = {
    # What the log says.
    "missed": (
        "La telefonata {call} è andata persa sulla coda {queue} ({source})",
        "Call {call} was lost on queue {queue} ({source})",
    ),
    "served": (
        "La telefonata {call} ha avuto risposta da {who}, {seconds} s di conversazione",
        "Call {call} was answered by {who}, {seconds} s of talk",
    ),
    "outbound_answered": (
        "{who} ha chiamato il cliente e ha avuto risposta: {seconds} s di conversazione ({call})",
        "{who} called the customer and was answered: {seconds} s of talk ({call})",
    ),
    "outbound_vain": (
        "{who} ha chiamato il cliente invano: {outcome} ({call})",
        "{who} called the customer in vain: {outcome} ({call})",
    ),
    "not_dialled": (
        "La chiamata di {who} non ha lasciato traccia: {outcome}",
        "The call of {who} left no trace: {outcome}",
    ),
    "voided": ("La telefonata {call} è stata annullata: {reason}", "Call {call} was declared void: {reason}"),
    "void_undone": ("La telefonata {call} conta di nuovo: {reason}", "Call {call} counts again: {reason}"),
    "disputed": (
        "{who} dice che ha risposto una segreteria ({call})",
        "{who} says that a machine answered ({call})",
    ),
    "reserved": ("{who} ha prenotato il cliente", "{who} reserved the customer"),
    "assigned": ("{by} ha assegnato il cliente a {who}", "{by} assigned the customer to {who}"),
    "released": ("La prenotazione di {who} è finita: {reason}", "The reservation of {who} ended: {reason}"),
    "flushed": (
        "{who} ha chiuso senza richiamare: {calls}; motivo: {reason}",
        "{who} closed the calls {calls} without a recall, reason: {reason}",
    ),
    "flush_undone": ("{who} ha annullato la chiusura forzata", "{who} undid the flush"),
    "shown": ("{who} ha rimesso in lista il cliente", "{who} put the customer back into the list"),
    "started": ("{who} ha iniziato a chiamare", "{who} began to call"),
    "erased": ("Il numero è stato cancellato da {who}", "The number was erased by {who}"),
    "note": ("{who} ha scritto una nota", "{who} wrote a note"),
    # What followed.
    "opens": (
        "apre la richiesta {request} sulla coda {queue} (regola 3)",
        "opens request {request} on queue {queue} (rule 3)",
    ),
    "joins": (
        "si aggiunge alla richiesta {request}, che ora ha {count} telefonate (regola 3)",
        "adds to request {request}, which now has {count} calls (rule 3)",
    ),
    "reopens": (
        "la richiesta {request} torna aperta: conta quando le cose accadono, non quando arrivano (regola 11)",
        "request {request} is open again: what counts is when things happen, not when they arrive (rule 11)",
    ),
    "withdrawn": (
        "la richiesta {request} è ritirata: nessuna delle sue telefonate conta più (regola 2)",
        "request {request} is withdrawn: none of its calls counts any more (rule 2)",
    ),
    "closed_served": (
        "chiude la richiesta {request}: il cliente ha parlato con una persona (regola 5)",
        "closes request {request}: the customer spoke with a person (rule 5)",
    ),
    "closed_recalled": (
        "chiude la richiesta {request}: più di {threshold} s di conversazione, la soglia in vigore alla risposta (regola 4)",
        "closes request {request}: more than {threshold} s of talk, the threshold in force at the answer (rule 4)",
    ),
    "closed_flushed": (
        "chiude la richiesta {request}: la chiusura forzata ne nomina le telefonate (regola 14)",
        "closes request {request}: the flush names its calls (rule 14)",
    ),
    "closed_aged": (
        "chiude la richiesta {request} per età (regola 13)",
        "closes request {request} because of its age (rule 13)",
    ),
    "closed_erased": (
        "chiude la richiesta {request}: il cliente ha chiesto di essere dimenticato",
        "closes request {request}: the customer asked to be forgotten",
    ),
    "tried": (
        "è il tentativo numero {count} per la richiesta {request} (regola 6)",
        "is attempt number {count} for request {request} (rule 6)",
    ),
    "too_short": (
        "non basta: servono più di {threshold} s (regola 4)",
        "is not enough: it takes more than {threshold} s (rule 4)",
    ),
    "hides": (
        "il cliente è nascosto agli altri fino alle {until} (regola 6)",
        "the customer is hidden from the others until {until} (rule 6)",
    ),
    "unhides": ("il cliente non è più nascosto", "the customer is hidden no more"),
    "held": (
        "la prenotazione di {who} copre tutte le sue richieste",
        "the reservation of {who} covers all its requests",
    ),
    "freed": (
        "la prenotazione di {who} finisce con questo (regola 8)",
        "the reservation of {who} ends with it (rule 8)",
    ),
    "better": (
        "si sapeva già della telefonata: di tutte le notizie conta la migliore (regola 1)",
        "the call was known already: of all reports the best counts (rule 1)",
    ),
    "nothing_open": (
        "nessuna richiesta era aperta: non chiude niente (regola 4)",
        "no request was open: it closes nothing (rule 4)",
    ),
    # How it stands.
    "is_open": (
        "Dunque la richiesta {request} è aperta; telefonate: {calls}, tentativi: {tried}.",
        "So request {request} is open; calls: {calls}, attempts: {tried}.",
    ),
    "is_closed": (
        "Dunque la richiesta {request} è chiusa dal {at} ({how}); telefonate: {calls}, tentativi: {tried}.",
        "So request {request} is closed since {at} ({how}); calls: {calls}, attempts: {tried}.",
    ),
    "is_withdrawn": (
        "Dunque non c'è nessuna richiesta {request}: le sue telefonate non contano.",
        "So there is no request {request}: its calls do not count.",
    ),
    "recorded": ("registrato il {at}", "recorded {at}"),
    # Figures.
    "figure": ("{name}, {day}: {definition}", "{name}, {day}: {definition}"),
    "behind": ("Richieste che vi stanno dietro: {count}", "Requests behind it: {count}"),
    "behind_open": (
        "{request} ({queue}): aperta il {opened}, tentativi {tried}, ancora aperta ({outcome})",
        "{request} ({queue}): opened {opened}, attempts {tried}, still open ({outcome})",
    ),
    "behind_closed": (
        "{request} ({queue}): aperta il {opened}, tentativi {tried}, chiusa il {closed} ({outcome})",
        "{request} ({queue}): opened {opened}, attempts {tried}, closed {closed} ({outcome})",
    ),
    "ask_more": (
        "Di ognuna il perché: richiamo explain RICHIESTA",
        "The why of each: richiamo explain REQUEST",
    ),
    # Words.
    "nobody": ("nessuno", "nobody"),
    "no_queue": ("nessuna", "none"),
    "system": ("il sistema", "the system"),
    "rank_1": ("instradamento", "routing"),
    "rank_2": ("notifica", "notification"),
    "rank_3": ("cartellino", "summary record"),
    "rank_4": ("cartellino completo", "record with legs"),
    "how_served": ("servita in ingresso", "served"),
    "how_recalled": ("richiamata", "recalled"),
    "how_flushed": ("chiusura forzata", "flushed"),
    "how_aged": ("per età", "by age"),
    "how_erased": ("cancellata", "erased"),
    "how_unanswered": ("richiamata senza risposta", "recalled in vain"),
    "how_unhandled": ("non gestita", "not handled"),
    "outcome_no_answer": ("nessuna risposta", "no answer"),
    "outcome_busy": ("occupato", "busy"),
    "outcome_failed": ("chiamata non riuscita", "the call failed"),
    "outcome_unavailable": ("non raggiungibile", "not reachable"),
    "outcome_short_talk": ("conversazione troppo breve", "the talk was too short"),
    "outcome_not_dialled": ("il centralino non ha chiamato", "the PBX did not dial"),
    "outcome_unknown": ("nessun cartellino è arrivato", "no record came"),
    "why_operator": ("l'ha rilasciata", "released by its holder"),
    "why_supervisor": ("tolta da un supervisore", "taken away by a supervisor"),
    "why_expired": ("scaduta (regola 8)", "expired (rule 8)"),
    "why_logout": ("uscita dal programma", "logged out"),
    "why_deactivated": ("utente disattivato", "the user was deactivated"),
}


def say(phrase: str, language: str, /, **values: object) -> str:
    """The sentence or word in a language of the site or else in English. Raises `KeyError` for one that there is not."""
    italian, source = _PHRASES[phrase]
    return (italian if language == "it" else told(source, language)).format(**values)


def english() -> list[str]:
    """Every sentence and word, for the catalogue of a further language."""
    return [text for _, text in _PHRASES.values()]
