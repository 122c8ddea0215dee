"""The whole stack on one machine: a supervisor, a private redis, and the processes themselves."""
