"""The tools of the example `progress`: a line through some points, by gradient descent."""
import time


class Training:
    def initialize(self):
        self.points = [(x / 50, 3 * x / 50 - 1) for x in range(100)]
        self.slope = self.offset = 0.0

    def train(self, epochs, rate):
        """Yields after each epoch."""
        for number in range(1, epochs + 1):
            errors = [(x, self.slope * x + self.offset - y) for x, y in self.points]
            self.slope -= rate * sum(error * x for x, error in errors) / len(errors)
            self.offset -= rate * sum(error for _, error in errors) / len(errors)
            # A real epoch takes longer.
            time.sleep(0.02)
            yield {"number": number, "loss": sum(error * error for _, error in errors) / len(errors)}

    def model(self):
        return [self.slope, self.offset]
