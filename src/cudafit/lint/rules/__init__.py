"""What each framework's calls mean for the place where the work is done."""
