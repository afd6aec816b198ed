"""Meta's vocabulary: what arrives, what may be sent, limits, signatures, error classes. Pure data and rules."""
