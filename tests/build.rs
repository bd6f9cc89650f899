//! Resolves the pools of the tests on the machine that runs them.

fn main() {
    snakepit_build::emit();
}
