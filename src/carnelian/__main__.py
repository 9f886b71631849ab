"""``python -m carnelian`` is ``carnelian-server``."""

from carnelian.tools.serve import main

raise SystemExit(main())
