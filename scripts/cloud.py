"""Make the environment of Alibaba Cloud's official SDK, with which tests read the simulator's answers.

python3 scripts/cloud.py
"""

from __future__ import annotations

import environment

if __name__ == "__main__":
    print(environment.make_cloud())
