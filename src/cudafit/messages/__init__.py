"""What error texts mean: pure functions from a text and the rules to what it says."""
