"""The field's public file formats, translated and nothing more."""
