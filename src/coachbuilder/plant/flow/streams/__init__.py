"""Random streams and the times drawn from them: one for every machine, source and failure."""
