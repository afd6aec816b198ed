"""Reports over the lake."""
