"""What locks quote, laid beside the rows of a matrix."""
