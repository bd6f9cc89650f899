fn main() {
    snakepit_build::emit();
}
