"""``python -m airflow_provider_oms.demo`` is ``oms-demo``."""

from __future__ import annotations

import sys

from airflow_provider_oms.demo import main

if __name__ == "__main__":
    sys.exit(main())
