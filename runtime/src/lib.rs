//! Python workers for Rust programs: `cargo build` finds, checks and freezes the Python environment of every pool,
//! the program re-checks it in microseconds and starts its workers as if their paths had been typed in by hand.
//!
//! [`snakepit_pools`] makes a constant of each pool that a struct declares, `AppConfig::ML` of the field `ml`: what to
//! start, and what the build saw. A pool is started from it:
//!
//! ```no_run
//! # #[cfg(feature = "pool")]
//! # async fn f(ml: &'static snakepit::SpawnSpec) -> Result<(), snakepit::Error> {
//! use snakepit::{Pool, PoolConfig};
//!
//! let pool = Pool::start(ml, &PoolConfig::default()).await?;
//! let sum: i64 = pool.execute("add", &(1, 2)).await?;
//! assert_eq!(sum, 3);
//! pool.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Without default features only the constants, their re-check and their `Command` are here: no async.
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod anchor;
#[cfg(feature = "pool")]
pub mod blocking;
mod config;
#[cfg(feature = "pool")]
mod pool;
mod recheck;
mod spec;
mod supervision;
mod thorough;
mod tool;
mod units;

pub use anchor::Anchor;
pub use config::PoolConfig;
#[doc(hidden)]
pub use config::PoolField as __PoolField;
#[cfg(feature = "pool")]
pub use pool::{
    Buffer, BufferError, CallOptions, DType, Element, Error, Failed, Health, HostTools, Latency,
    Map, Pool, PoolBuilder, PoolStats, PythonException, Session, ToolStream, WorkerStats,
};
pub use recheck::{Change, Drift, Fact, Recheck, SpecError};
pub use snakepit_macros::snakepit_pools;
#[cfg(feature = "grpc")]
pub use spec::Grpc;
pub use spec::{
    Affinity, Check, Defaults, Embedded, EnvOp, Fingerprint, Memo, Metadata, Profile, SpawnSpec,
    Transport,
};
pub use supervision::Supervision;
pub use tool::{Parameter, ParameterKind, Tool};

/// What `#[snakepit_pools]` writes beside the constants.
#[cfg(feature = "pool")]
#[doc(hidden)]
#[macro_export]
macro_rules! __snakepit_pools {
    ($visibility:vis $config:ident $pools:ident $blocking:ident { $($(#[$condition:meta])* $field:ident $constant:ident: $type:ty,)* }) => {
        /// The running pools of the struct.
        #[derive(Debug, Clone)]
        $visibility struct $pools {
            $(
                $(#[$condition])*
                #[doc = concat!("The pool `", stringify!($field), "`.")]
                pub $field: $crate::Pool,
            )*
        }

        impl $config {
            /// Re-checks every pool, starts all their workers side by side and waits until they are ready.
            ///
            /// It must be called inside a Tokio runtime with its I/O and time drivers enabled, such as that of
            /// `#[tokio::main]`.
            ///
            /// # Errors
            /// The first pool that cannot be started; the others are ended.
            #[allow(dead_code, reason = "a program may start its pools one by one")]
            pub async fn start_pools(&self) -> ::core::result::Result<$pools, $crate::Error> {
                self.start_pools_with($crate::HostTools::new()).await
            }

            /// The same, with functions of the program that the Python of every pool may call.
            ///
            /// # Errors
            /// The first pool that cannot be started; the others are ended.
            #[allow(dead_code, reason = "a program may have no tools for Python")]
            pub async fn start_pools_with(
                &self,
                host_tools: $crate::HostTools,
            ) -> ::core::result::Result<$pools, $crate::Error> {
                // Attributes are allowed in arrays and structs, but not in a pattern of an array.
                let pools = $crate::__start_all(
                    [$($(#[$condition])* (Self::$constant, <$type as $crate::__PoolField>::config(&self.$field)),)*],
                    host_tools,
                ).await?;
                #[allow(unused_mut, unused_variables, reason = "all pools may be left out")]
                let mut pools = ::core::iter::IntoIterator::into_iter(pools);
                ::core::result::Result::Ok($pools {
                    $($(#[$condition])* $field: pools.next().expect("every spec gives one pool"),)*
                })
            }
        }

        /// The running pools of the struct, for a program without an async runtime.
        #[derive(Debug, Clone)]
        #[allow(dead_code, reason = "most programs have an async runtime")]
        $visibility struct $blocking {
            $(
                $(#[$condition])*
                #[doc = concat!("The pool `", stringify!($field), "`.")]
                pub $field: $crate::blocking::Pool,
            )*
        }

        impl $config {
            /// `start_pools` for a program without an async runtime.
            ///
            /// # Errors
            /// The first pool that cannot be started; the others are ended.
            #[allow(dead_code, reason = "most programs have an async runtime")]
            pub fn start_pools_blocking(&self) -> ::core::result::Result<$blocking, $crate::Error> {
                self.start_pools_blocking_with($crate::HostTools::new())
            }

            /// `start_pools_with` for a program without an async runtime.
            ///
            /// # Errors
            /// The first pool that cannot be started; the others are ended.
            #[allow(dead_code, reason = "most programs have an async runtime")]
            pub fn start_pools_blocking_with(
                &self,
                host_tools: $crate::HostTools,
            ) -> ::core::result::Result<$blocking, $crate::Error> {
                let pools = $crate::blocking::start_all(
                    [$($(#[$condition])* (Self::$constant, <$type as $crate::__PoolField>::config(&self.$field)),)*],
                    host_tools,
                )?;
                #[allow(unused_mut, unused_variables, reason = "all pools may be left out")]
                let mut pools = ::core::iter::IntoIterator::into_iter(pools);
                ::core::result::Result::Ok($blocking {
                    $($(#[$condition])* $field: pools.next().expect("every spec gives one pool"),)*
                })
            }
        }

        impl $blocking {
            /// Ends all pools: what was accepted is finished first, within each pool's time limit.
            #[allow(dead_code, reason = "dropping the pools ends them as well")]
            pub fn shutdown(self) {
                $crate::blocking::shutdown_all([$($(#[$condition])* self.$field,)*]);
            }
        }

        impl $pools {
            /// Ends all pools: what was accepted is finished first, within each pool's time limit.
            #[allow(dead_code, reason = "dropping the pools ends them as well")]
            pub async fn shutdown(self) {
                $crate::__shutdown_all([$($(#[$condition])* self.$field,)*]).await;
            }
        }
    };
}

/// A pool whose workers are gRPC servers.
#[cfg(feature = "grpc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __snakepit_grpc {
    ($pool:literal, $script:expr, [$($argument:expr),*]) => {
        $crate::Transport::Grpc($crate::Grpc { script: $script, args: &[$($argument),*] })
    };
}

/// Without the feature `grpc` there is no such pool.
#[cfg(not(feature = "grpc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __snakepit_grpc {
    ($pool:literal, $script:expr, [$($argument:expr),*]) => {{
        ::core::compile_error!(::core::concat!(
            "pool `", $pool, "`: `transport = grpc` needs the feature `grpc` of the crate `snakepit`: run `cargo add snakepit --features grpc`"
        ));
        $crate::Transport::Sockets
    }};
}

/// Without the feature `pool` the attribute writes constants alone.
#[cfg(not(feature = "pool"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __snakepit_pools {
    ($visibility:vis $config:ident $pools:ident $blocking:ident { $($(#[$condition:meta])* $field:ident $constant:ident: $type:ty,)* }) => {
        // The fields hold what the operator says of the pools: that nothing reads them here is no fault.
        const _: fn(&$config) = |config| {
            $($(#[$condition])* let _ = <$type as $crate::__PoolField>::config(&config.$field);)*
        };
    };
}

#[cfg(feature = "pool")]
#[doc(hidden)]
pub use pool::{shutdown_all as __shutdown_all, start_all as __start_all};
