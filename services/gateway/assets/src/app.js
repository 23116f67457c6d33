// What does every page start? Links and forms by htmx, everything that moves by the small modules beside this file.
import "htmx.org";
import { startAvailability } from "./_availability.js";
import { startCommands } from "./_commands.js";
import { startForms } from "./_forms.js";
import { startKeys } from "./_keys.js";
import { startList } from "./_list.js";
import { startPreferences } from "./_preferences.js";

startPreferences();
startAvailability();
startCommands();
startForms();
startList();
startKeys();
