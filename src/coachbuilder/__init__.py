"""Coachbuilder."""
