"""`python -m pipeline`: the command line without the installed script."""

import sys

from pipeline.cli import main

sys.exit(main())
