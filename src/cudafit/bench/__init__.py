"""Makes the frameworks of an environment compute, and judges what came out."""
