/** The page of an address that leads nowhere: its words stand in both languages, scripts or not. */
import { startShell } from './shell.js';

startShell();
