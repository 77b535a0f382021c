"""``python -m driftgauge`` is the command ``driftgauge``."""

from driftgauge.cli import main

if __name__ == "__main__":
    main()
