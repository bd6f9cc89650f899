"""The tools of the example `web_service`: a stand-in for a model of language, with its costs and its faults."""

import time

GOOD, BAD = {"good", "great", "fine"}, {"bad", "poor", "awful"}


class Model:
    def initialize(self):
        # A real model reads its weights here, once for each worker.
        self.words = "the snake lies in the pit and waits for the sun to rise".split()

    def score(self, text):
        """How friendly a text is, from -1 to 1."""
        words = text.lower().split()
        if not words:
            raise ValueError("there is no text to score")
        # What a real model takes for each word.
        time.sleep(0.001 * len(words))
        return sum((word in GOOD) - (word in BAD) for word in words) / len(words)

    def generate(self, count):
        """Yields words one by one."""
        for number in range(count):
            time.sleep(0.05)
            yield self.words[number % len(self.words)]
