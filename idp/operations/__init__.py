"""What keeps the provider running: serving, health, metrics, logs, pruning, the doctor, the demo."""
