//! Freezes the Python of the bundle.

fn main() {
    snakepit_build::emit();
}
