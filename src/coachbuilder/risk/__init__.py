"""How sure the answer is: draws over the evidence, what drives it, what turns it."""
