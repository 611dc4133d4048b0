"""Foreign text of every kind, made up and thrown at what reads it. `make fuzz` runs it for long."""
