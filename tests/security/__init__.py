"""Rules for the whole source, whichever change is made."""
