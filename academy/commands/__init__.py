"""What each command of `academy` does; `academy/cli.py` declares their options."""
