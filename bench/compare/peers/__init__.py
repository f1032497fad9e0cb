"""The peers, one module each; worker.py says what a module must have."""
