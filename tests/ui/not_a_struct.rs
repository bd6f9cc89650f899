// Fields with names are wanted: enums, tuples and the like have none.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
enum Choice {
    #[pool]
    Ml(PoolConfig),
}

#[snakepit_pools]
struct Tuple(#[pool] PoolConfig);

#[snakepit_pools]
struct Unit;

fn main() {
    let _ = (Choice::Ml, Tuple, Unit);
}
