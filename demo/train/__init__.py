"""How the demo models were trained; needs the extras ``train`` and ``speech``."""
