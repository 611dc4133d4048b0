"""What a shell is told when Tab is pressed. It is asked at every press, so nothing of the rest is loaded."""
