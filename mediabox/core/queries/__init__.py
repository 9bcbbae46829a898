"""Answers for people and programs: values, the same for every surface."""
