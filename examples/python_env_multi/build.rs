//! Freezes the Python environment of each pool.

fn main() {
    snakepit_build::emit();
}
