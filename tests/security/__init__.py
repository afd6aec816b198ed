"""What must hold for the whole source, whoever adds to it."""
