"""When clinics are open and who works there: hours, absences, closures, and what a change of them hits."""
