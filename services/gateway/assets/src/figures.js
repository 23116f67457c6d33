// What does a page of figures without charts start? Printing, and figures that follow what happens.
import { startFigures } from "./_figures.js";

startFigures();
