"""What is written of a plan: report.html, plan.xlsx and their charts. Nothing is computed here."""
