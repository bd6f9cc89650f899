//! One struct and its manifest to tokens.

use std::env;
use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use snakepit_build::declaration::PoolDeclaration;
use snakepit_build::declare::parse_struct;
use snakepit_build::manifest::{Check, EnvOp, FILE_NAME, Manifest, Outcome, Resolution};
use syn::{Error, ItemStruct};

pub(crate) fn expand(item: ItemStruct) -> TokenStream {
    let constants = constants(&item)
        .unwrap_or_else(|errors| errors.iter().map(Error::to_compile_error).collect());
    let mut item = item;
    for field in &mut item.fields {
        field
            .attrs
            .retain(|attribute| !attribute.path().is_ident("pool"));
    }
    quote!(#item #constants)
}

fn constants(item: &ItemStruct) -> Result<TokenStream, Vec<Error>> {
    let declaration = parse_struct(item)?;
    let fail = |text: String| vec![Error::new_spanned(&item.ident, text)];
    let path = manifest_path().ok_or_else(|| {
        fail(
            "no build script ran for this package [snakepit::manifest_not_found]\n\
             help: add a `build.rs` whose `main` calls `snakepit_build::emit()`, \
             and `snakepit-build` under `[build-dependencies]`"
                .to_owned(),
        )
    })?;
    let manifest = Manifest::read(&path).map_err(|why| {
        fail(format!(
            "the manifest of the build script cannot be read: {why} [snakepit::manifest_not_found]\n\
             help: call `snakepit_build::emit()` in `build.rs`"
        ))
    })?;
    let (mut errors, mut specs, mut names) = (Vec::new(), TokenStream::new(), Vec::new());
    for pool in &declaration.pools {
        match manifest.pools.get(&pool.key()) {
            Some(Outcome::Resolved(resolution)) => {
                let name = format_ident!("{}", pool.name.to_uppercase());
                let spec = spec(pool, resolution);
                let doc = format!(
                    "The Python of the pool `{}`, as the build found it.",
                    pool.name
                );
                specs.extend(quote! {
                    #[doc = #doc]
                    pub const #name: &'static ::snakepit::SpawnSpec = {
                        static SPEC: ::snakepit::SpawnSpec = #spec;
                        &SPEC
                    };
                });
                names.push(name);
            }
            Some(Outcome::Failed(faults)) => errors.extend(faults.iter().map(|fault| {
                let text = format!(
                    "pool `{}`: {} [snakepit::{}]\nhelp: {}",
                    pool.name, fault.message, fault.code, fault.help
                );
                Error::new(pool.span(&fault.place), text)
            })),
            None => errors.push(Error::new(
                pool.span("pool"),
                "the build script did not see this declaration [snakepit::declaration_unknown]\n\
                 help: name its file in `build.rs`: `Builder::new().source(\"...\").emit()`",
            )),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let ident = &item.ident;
    let path = path.display().to_string();
    Ok(quote! {
        // The compiler reads the manifest, and so compiles again when it changes.
        const _: &[u8] = ::core::include_bytes!(#path);
        impl #ident {
            #specs
            /// Every pool of this struct.
            pub const POOLS: &'static [&'static ::snakepit::SpawnSpec] = &[#(Self::#names),*];
        }
    })
}

fn manifest_path() -> Option<PathBuf> {
    let named = env::var_os("SNAKEPIT_MANIFEST").map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(env::var_os("OUT_DIR")?).join(FILE_NAME)))
}

fn spec(pool: &PoolDeclaration, resolution: &Resolution) -> TokenStream {
    let Resolution {
        command,
        args,
        python_path,
        metadata,
        ..
    } = resolution;
    let name = &pool.name;
    let env = resolution.env.iter().map(|op| match op {
        EnvOp::Set { name, value } => quote!(::snakepit::EnvOp::Set(#name, #value)),
        EnvOp::Prepend { name, value } => quote!(::snakepit::EnvOp::Prepend(#name, #value)),
        EnvOp::Unset { name } => quote!(::snakepit::EnvOp::Unset(#name)),
    });
    let checks = resolution.checks.iter().map(|check| match check {
        Check::Size { path, bytes } => {
            quote!(::snakepit::Check::Size { path: #path, bytes: #bytes })
        }
        Check::Content { path, text } => {
            quote!(::snakepit::Check::Content { path: #path, text: #text })
        }
    });
    let cwd = option(resolution.cwd.as_ref());
    let adapter = option(pool.request.adapter.as_ref());
    let (environment, detected_by) = (&metadata.environment, &metadata.detected_by);
    let (version, implementation) = (&metadata.python_version, &metadata.implementation);
    let (prefix, base_prefix, free_threading) = (
        &metadata.prefix,
        &metadata.base_prefix,
        metadata.free_threading,
    );
    let extra = metadata
        .extra
        .iter()
        .map(|(name, value)| quote!((#name, #value)));
    let request = &pool.request;
    let profile = match request.threads {
        Some(threads) => quote!(::snakepit::Profile::Thread { threads: #threads }),
        None => quote!(::snakepit::Profile::Process),
    };
    let (size, queue_limit) = (request.size, request.queue_limit);
    let [startup, execute, shutdown] = [
        request.startup_timeout_ms,
        request.execute_timeout_ms,
        request.shutdown_timeout_ms,
    ]
    .map(|ms| quote!(::core::time::Duration::from_millis(#ms)));
    quote! {
        ::snakepit::SpawnSpec {
            pool: #name, command: #command, args: &[#(#args),*], env: &[#(#env),*], cwd: #cwd,
            metadata: ::snakepit::Metadata {
                environment: #environment, detected_by: #detected_by, python_version: #version,
                implementation: #implementation, prefix: #prefix, base_prefix: #base_prefix,
                free_threading: #free_threading, extra: &[#(#extra),*],
            },
            checks: &[#(#checks),*], adapter: #adapter, python_path: &[#(#python_path),*],
            defaults: ::snakepit::Defaults {
                size: #size, profile: #profile, startup_timeout: #startup, execute_timeout: #execute,
                shutdown_timeout: #shutdown, queue_limit: #queue_limit,
            },
            memo: ::snakepit::Memo::new(),
        }
    }
}

fn option(text: Option<&String>) -> TokenStream {
    text.map_or_else(
        || quote!(::core::option::Option::None),
        |text| quote!(::core::option::Option::Some(#text)),
    )
}
