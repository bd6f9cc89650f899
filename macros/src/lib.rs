//! `#[snakepit_pools]`: the manifest of the build script becomes constants, or errors at the right place.
//! It starts no process and reads one file.
#![deny(missing_docs)]

mod expand;
mod manifest;
mod spec;

use proc_macro::TokenStream;

/// Turns the fields with `#[pool]` of a struct into spawn specs: `Struct::POOLS` and one constant for each field,
/// and with the feature `pool` of `snakepit` into `StructPools` and `Struct::start_pools`.
///
/// ```ignore
/// use snakepit::{PoolConfig, snakepit_pools};
///
/// #[snakepit_pools]
/// #[derive(Default, serde::Deserialize)]
/// #[serde(default)]
/// struct AppConfig {
///     /// Not a pool: left alone.
///     listen: String,
///     #[pool(
///         environment = uv(project_dir = "ml"),
///         requires = ["numpy>=2"],
///         adapter = "ml_service.tools",
///         size = 4,
///     )]
///     ml: PoolConfig,
/// }
///
/// # async fn f(config: AppConfig) -> Result<(), snakepit::Error> {
/// // `AppConfig::ML` is the spec of the pool, `AppConfig::POOLS` holds all.
/// let pools = config.start_pools().await?;
/// let answer: f64 = pools.ml.execute("predict", &("text",)).await?;
/// # Ok(())
/// # }
/// ```
///
/// The constants are made of what the package's `build.rs` found, `fn main() { snakepit_build::emit() }`: without it, or
/// with an environment that is not there or not what the pool asks for, the struct does not compile. Each error stands
/// at the key that it is about, with a code, such as `[snakepit::venv_not_found]`, and a help.
///
/// # The pool
///
/// Every key is optional, and `#[pool]` alone means `environment = auto`. A length of time is a text, `"500ms"`, `"30s"`,
/// `"2m"` or `"1h"`; an amount of memory is one in `KiB`, `MiB`, `GiB`, `kB`, `MB` or `GB`.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `environment = kind(option = "...")` | where the Python is: `auto`, `system`, `uv`, `poetry`, `venv`, `pyenv`, `conda`, `docker`, or `custom("name")` of `build.rs` | `auto` |
/// | `launch = manager` | the manager's own command starts the workers: uv, poetry, conda | `direct` |
/// | `python = ">=3.11"` | the versions that will do | any |
/// | `requires = ["numpy>=2"]` | distributions that must be installed, as PEP 508 writes them | none |
/// | `adapter = "package.module"` | the Python module with the tools; `"package.module:Class"` for a class in it, `embed("tools.py")` for a file that is compiled into the program | none |
/// | `python_path = ["python"]` | folders before `sys.path`, relative to the package | none |
/// | `env(NAME = "value")` | variables of the workers | none |
/// | `profile = thread(threads = 8)` | how many requests one worker runs at once, in threads; `async(concurrency = 64)` for `async def` tools | `process`: one |
/// | `transport = grpc` | workers are gRPC servers, with the feature `grpc`; `server = "..."` and `server_args = [...]` for one of your own | sockets |
/// | `affinity = strict_queue` | what a session's calls do while its worker is busy: `hint`, `strict_queue` or `strict_fail_fast` | `hint` |
/// | `lenient = true` | what cannot be sent is replaced by a marker with its type | `false` |
///
/// These are defaults, which the field's value, the operator's, may change when the program starts:
///
/// | key | meaning | default |
/// |---|---|---|
/// | `size = 4` | workers | 1 |
/// | `startup_timeout`, `execute_timeout` | how long the start of a worker and a call may take | `"30s"` |
/// | `cancel_timeout` | how long a cancelled tool may take to stop | `"1s"` |
/// | `session_timeout` | time without a call after which a session ends | `"1h"` |
/// | `shutdown_timeout`, `kill_timeout` | how long workers may take to leave, and then from `SIGTERM` to `SIGKILL` | `"5s"`, `"1s"` |
/// | `queue_limit = 64` | requests that may wait before a call fails at once | 1024 |
/// | `restart_delay`, `max_restart_delay` | pause before a failed start is tried again, doubled each time, and the longest one | `"100ms"`, `"10s"` |
/// | `max_restarts = 20`, `restart_window` | how often one worker may fail within how long | 5, `"1m"` |
/// | `max_requests = 10000`, `max_age`, `max_memory = "2GiB"` | requests, age and resident memory at which a worker is replaced | never |
/// | `heartbeat_timeout` | how long an interpreter may give no sign of life | for ever |
///
/// # The struct
///
/// `#[snakepit_pools(anchor = exe)]` keeps paths below the package relative to the folder of the running program,
/// `anchor = exe("..")` to the one above it, and `anchor = env("APP_ROOT")` to the one that a variable names, so that
/// program and environment can be moved as a whole. `anchor_root = "bundle"` names the folder of the package that it is.
///
/// `#[snakepit_pools(crate = ::renamed)]` names the crate `snakepit` where the program knows it by another name.
#[proc_macro_attribute]
pub fn snakepit_pools(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(arguments.into(), item.into()).into()
}
