"""Counts what makes a text easy to read."""

import re


def sentences(text):
    return [part for part in re.split(r"[.!?]\s*", text) if part]


def words(text):
    return re.findall(r"\w+", text)
