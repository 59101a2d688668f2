"""`./run bench`: what a job costs, as a ratio inside one run, at 10k and at a million orders."""
