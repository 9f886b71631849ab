"""``python -m carnelian`` is ``carnelian-server``."""

from carnelian.tools.server import main

raise SystemExit(main())
