"""The host's plant: process, balance, sequence, flow."""
