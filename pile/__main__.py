"""``python -m pile`` is the ``pile`` command."""

from pile.cli import main

main()
