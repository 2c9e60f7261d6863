"""`python -m feldera_exporter`."""

import sys

from feldera_exporter.cli import main

sys.exit(main())
