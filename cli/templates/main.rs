mod workers;

use workers::Workers;

fn main() -> Result<(), snakepit::Error> {
    let workers = Workers::default().start_pools_blocking()?;
    let greeting: String = workers.python.execute("greet", &("world",))?;
    println!("{greeting}");
    workers.shutdown();
    Ok(())
}
