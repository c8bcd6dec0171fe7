"""What python-runner.py is made of."""
