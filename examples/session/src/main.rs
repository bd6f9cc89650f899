//! Sessions: two shoppers, two workers. What a session has put into its store is there in its next call, since all its
//! calls go to the worker that holds it, until the session ends.
//!
//! `cargo run -p session`

use serde_json::json;
use snakepit::{Error, HostTools, PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(adapter = embed("python/carts.py"), size = 2, affinity = strict_queue)]
    carts: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let tools = HostTools::new().tool("order", async |(owner, articles): (String, Vec<String>)| {
        println!("{owner} has ordered {}", articles.join(", "));
        Ok::<_, String>(())
    });
    let pools = AppConfig::default().start_pools_with(tools).await?;
    let (anna, ben) = (pools.carts.session("anna"), pools.carts.session("ben"));

    let basket = [("bread", 320), ("cheese", 710), ("apples", 275)];
    for (article, cents) in basket {
        let arguments = json!({"article": article, "cents": cents});
        anna.execute::<_, ()>("put", &arguments).await?;
    }
    ben.execute::<_, ()>("put", &("tea", 450)).await?;

    for session in [&anna, &ben] {
        let (owner, total): (String, u32) = session.execute("total", &()).await?;
        println!("{owner} pays {}.{:02}", total / 100, total % 100);
    }

    // A call of the pool itself belongs to no session.
    let outside = pools.carts.execute::<_, (String, u32)>("total", &()).await;
    println!("without a session: {}", outside.is_err());

    // At its end the adapter's hook hands the order to the program. A session of the same name begins anew.
    anna.end().await?;
    let (_, total): (String, u32) = anna.execute("total", &()).await?;
    println!("anna begins anew with {total}");
    pools.shutdown().await;
    Ok(())
}
