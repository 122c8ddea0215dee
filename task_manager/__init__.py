"""The task manager: the API, the pipeline that decides, the ticker, and the store."""
