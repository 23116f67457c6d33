// What does every page start? Links and forms are the browser's own; what moves is done by the small modules beside this.
//
// htmx is not loaded: a reservation, its refusal and the live rows need their own rules for focus and place (`_rows.js`),
// and a page is read again as a whole (`_refresh.js`), so there is no swap left for it to do.
import { startAssign } from "./_assign.js";
import { startAvailability } from "./_availability.js";
import { startAway } from "./_away.js";
import { startCommands } from "./_commands.js";
import { startEnding } from "./_ending.js";
import { startFinder } from "./_finder.js";
import { startFlush } from "./_flush.js";
import { startForms } from "./_forms.js";
import { startKeys } from "./_keys.js";
import { startList } from "./_list.js";
import { startNotes } from "./_note.js";
import { startNotices } from "./_notices.js";
import { startPast } from "./_past.js";
import { startPreferences } from "./_preferences.js";

startPast();
startPreferences();
startAvailability();
startCommands();
startNotes(); // takes its form itself, before the others are sent
startForms();
startAway();
startList();
startAssign();
startFlush();
startNotices();
startFinder();
startKeys();
startEnding();
