"""What the platform costs: counted requests times list prices."""
