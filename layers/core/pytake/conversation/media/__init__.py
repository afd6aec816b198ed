"""Files of people that are kept, and files that agents send."""
