"""The recursion of departures on a GPU, one thread a replication."""
