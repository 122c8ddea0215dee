"""The only part that acts because time passed: separate loops, any number of managers.

Each act is a compare-and-set, so it does not matter which manager was first.
"""

from __future__ import annotations

from task_manager.ticker.ticker import Ticker

__all__ = ["Ticker"]
