"""Listens: decodes media, finds speech, writes down what was said, joins the parts."""
