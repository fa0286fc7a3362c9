"""How figures and tables look; with the chapters' `figures`, all that draws."""
