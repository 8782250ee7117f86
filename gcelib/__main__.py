"""`python -m gcelib` is the `gcelib` command."""

import sys

from gcelib.cli import main

sys.exit(main())
