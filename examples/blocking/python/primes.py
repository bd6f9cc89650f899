"""The tools of the example `blocking`."""


def is_prime(number):
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def primes(most):
    for number in range(most + 1):
        if is_prime(number):
            yield number
