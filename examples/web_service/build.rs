//! Freezes the Python environment of the pool.

fn main() {
    snakepit_build::emit();
}
