"""Facts from locks that others wrote: what they quote confirms a row, extends it, or contradicts it."""
