"""conda's packages by py-rattler: what asks for a solution or an installation, and the process that does it."""
