"""What a vocabulary learns from texts: counts of pieces, samples, and tokens of several pieces."""
