"""From what was read of many machines to the model of a page: pure functions."""
