"""Which texts do the scripts show? Taken from the same catalogue and handed to the page as JSON."""

from richiamo_gateway.pages.language import N_, Language

_TEXTS = {
    "now": N_("Now"),
    "in_minutes": N_("in {n} min"),
    "off": N_("off hours"),
    "reserved_by": N_("Reserved by {name}, {ago} ago"),
    "calling_by": N_("{name} is calling"),
    "reserved_by_you": N_("Reserved by you"),
    "gone": N_("No longer to recall"),
    "seconds": N_("{n} s"),
    "minutes": N_("{n} min"),
    "hours": N_("{n} h"),
    "new_one": N_("1 new"),
    "new_many": N_("{n} new"),
    "live": N_("Live"),
    "reconnecting": N_("Reconnecting, data of {time}"),
    "polling": N_("Read again every few seconds"),
    "offline": N_("Offline since {time}"),
    "signed_out": N_("Your session has ended"),
    "sign_in": N_("Log in again"),
    "reserved": N_("Reserved {number}"),
    "released": N_("Released {number}"),
    "called": N_("Calling {number}"),
    "put_back": N_("Put back {number}"),
    "undo": N_("Undo"),
    "stale": N_("The data is older than 15 seconds: reserving waits for the connection"),
    "failed": N_("This did not work. Try again."),
    "unreachable": N_("Richiamo does not answer. Whether this was done, the page shows when it is back."),
    "away_kept": N_(
        "Richiamo has not answered since {time}. Nothing was sent; what you typed is still here."
        " Leave this page open: it says here when you can send it."
    ),
    "away_left": N_(
        "Richiamo has not answered since {time}. Other pages open when it answers again; this one stays as it is."
    ),
    "back": N_("Richiamo answers again. What you typed is still here: send it now."),
    "notify_refused": N_("The browser does not allow notices of this site"),
    "past": N_("This is how it was: nothing can be changed here"),
    "disputed": N_("Noted: it was an answering machine"),
    "expired": N_("Your reservation of {number} has ended"),
    "call_ended": N_("The call to {number} has ended"),
    "assigned": N_("{number} was assigned to you"),
    "selected_one": N_("1 selected"),
    "selected_many": N_("{n} selected"),
    "assigned_to": N_("{number} assigned to {name}"),
    "taken_away": N_("{number} taken away from {name}"),
    "assignment_undone": N_("{number} is as it was before"),
    "shared_out": N_("Customers assigned: {n}"),
    "sharing_undone": N_("The customers are as they were before"),
    "flush_one": N_("1 customer will be closed"),
    "flush_many": N_("{n} customers will be closed"),
    "flushed_one": N_("1 customer closed"),
    "flushed_many": N_("{n} customers closed"),
    "flush_undone": N_("The flush was undone"),
    "days": N_("{n} d"),
    "late": N_("{age}, late"),
    "ends_in": N_("Ends in {left}"),
    "ends_soon": N_("Your reservation of {number} ends in {left}"),
    "kept": N_("Your reservations last longer again"),
    "shown_again": N_("{number} is in the lists again"),
    "note_saved": N_("Note saved"),
    "note_by": N_("{name}, {ago} ago"),
    "note_unsaved": N_("Save the note first: it has not been saved yet"),
    "note_unsaved_close": N_("The note is not saved. Close again to throw it away."),
    "note_changed": N_("{name} wrote meanwhile:"),
    "note_emptied": N_("{name} emptied the note meanwhile."),
    "problem:already-reserved": N_("Somebody else has reserved this customer"),
    "problem:being-called": N_("This customer is being called"),
    "problem:nothing-to-recall": N_("Nothing is left to recall"),
    "problem:not-reserved": N_("Your reservation has ended: reserve again before you call"),
    "problem:hidden": N_("This customer was called in vain a short while ago"),
    "problem:unknown-caller": N_("There is no such customer"),
    "problem:not-your-call": N_("This is no call of yours"),
    "problem:not-assignable": N_("This user cannot be given customers"),
    "problem:nothing-to-flush": N_("Nothing is left to close"),
    "problem:not-dialled": N_("The PBX did not dial"),
    "problem:not-allowed": N_("You may not do this"),
    "problem:forbidden": N_("You may not do this"),
    "problem:unavailable": N_("A part of Richiamo does not answer at the moment"),
    "problem:changed-meanwhile": N_("Somebody else changed this at the same moment. Try again."),
    "problem:username-taken": N_("There is already a user of this name"),
    "problem:extension-taken": N_("This extension belongs to somebody else"),
    "problem:last-admin": N_("Somebody has to stay administrator"),
    "problem:invalid": N_("Something is not right in the form"),
}


def script_texts(language: Language) -> dict[str, str]:
    """Every text by its name, in the words of `language`; `{n}` and the like are filled in by the script."""
    return {name: language(text) for name, text in _TEXTS.items()}


def problem_title(kind: str, language: Language, otherwise: str) -> str:
    """What a problem is called in this language."""
    text = _TEXTS.get(f"problem:{kind.rpartition('/')[2]}")
    return language(text) if text else otherwise
