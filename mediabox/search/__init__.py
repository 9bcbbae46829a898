"""The query language: a table of fields, a reader of what people type, a matcher. Its SQL is in `store/search.py`."""
