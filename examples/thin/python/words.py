"""Counts the words of standard input, the most frequent ones first."""

import collections
import sys

words = collections.Counter(sys.stdin.read().split())
for word, count in words.most_common():
    print(word, count, sep="\t")
