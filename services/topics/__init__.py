"""Where the operator hears of every task: a Redis stream or an SNS topic, named by settings."""
