//! A resolution as the constant that the program holds.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use snakepit_build::declaration::{Adapter, Affinity, Profile, Request, Supervision, Transport};
use snakepit_build::declare::{Anchor, Arguments};
use snakepit_build::manifest::{Check, EnvOp, Fingerprint, Resolution, Tool};

/// The spawn spec of one pool.
pub(crate) fn spec(
    arguments: &Arguments,
    request: &Request,
    resolution: &Resolution,
) -> TokenStream {
    let krate = &arguments.krate;
    let Resolution {
        command,
        args,
        python_path,
        metadata,
        ..
    } = resolution;
    let name = &request.pool;
    let env = resolution.env.iter().map(|op| match op {
        EnvOp::Set { name, value } => quote!(#krate::EnvOp::Set(#name, #value)),
        EnvOp::Prepend { name, value } => quote!(#krate::EnvOp::Prepend(#name, #value)),
        EnvOp::Unset { name } => quote!(#krate::EnvOp::Unset(#name)),
    });
    let checks = resolution.checks.iter().map(|check| match check {
        Check::Size { path, bytes } => {
            quote!(#krate::Check::Size { path: #path, bytes: #bytes })
        }
        Check::Content { path, text } => {
            quote!(#krate::Check::Content { path: #path, text: #text })
        }
        Check::Settings { path, text } => {
            quote!(#krate::Check::Settings { path: #path, text: #text })
        }
    });
    let anchor = option(arguments.anchor.as_ref().map(|anchor| match anchor {
        Anchor::Exe { above } => quote!(#krate::Anchor::Exe { above: #above }),
        Anchor::Env(name) => quote!(#krate::Anchor::Env(#name)),
    }));
    let fingerprint = fingerprint(krate, resolution);
    // A server of the user's own has its rules for what a tool is.
    let has_tools = request.server.is_none();
    let tools = resolution.tools.iter().filter(|_| has_tools);
    let tools = tools.map(|one| tool(krate, one));
    let cwd = option(resolution.cwd.as_deref());
    let adapter = option(request.adapter.as_ref().map(Adapter::name));
    // The compiler reads the file again, and comes back when it changes.
    let path = request.adapter.as_ref().and_then(Adapter::file);
    let embedded = match (path, &resolution.embedded) {
        (Some(path), Some(file)) => quote!(::core::option::Option::Some(
            #krate::Embedded { path: #path, source: ::core::include_str!(#file) }
        )),
        _ => quote!(::core::option::Option::None),
    };
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
    let profile = match request.profile {
        Profile::Process => quote!(#krate::Profile::Process),
        Profile::Thread(threads) => quote!(#krate::Profile::Thread { threads: #threads }),
        Profile::Async(concurrency) => {
            quote!(#krate::Profile::Async { concurrency: #concurrency })
        }
    };
    let affinity = match request.affinity {
        Affinity::Hint => quote!(#krate::Affinity::Hint),
        Affinity::StrictQueue => quote!(#krate::Affinity::StrictQueue),
        Affinity::StrictFailFast => quote!(#krate::Affinity::StrictFailFast),
    };
    let (size, queue_limit, lenient) = (request.size, request.queue_limit, request.lenient);
    let [startup, execute, cancel, session, shutdown] = [
        request.startup_timeout_ms,
        request.execute_timeout_ms,
        request.cancel_timeout_ms,
        request.session_timeout_ms,
        request.shutdown_timeout_ms,
    ]
    .map(duration);
    let transport = transport(krate, request);
    let supervision = supervision(krate, &request.supervision);
    quote! {
        #krate::SpawnSpec {
            pool: #name, anchor: #anchor, command: #command, args: &[#(#args),*], env: &[#(#env),*], cwd: #cwd,
            metadata: #krate::Metadata {
                environment: #environment, detected_by: #detected_by, python_version: #version,
                implementation: #implementation, prefix: #prefix, base_prefix: #base_prefix,
                free_threading: #free_threading, extra: &[#(#extra),*],
            },
            checks: &[#(#checks),*], fingerprint: #fingerprint, adapter: #adapter, embedded: #embedded, tools: &[#(#tools),*], python_path: &[#(#python_path),*],
            transport: #transport,
            defaults: #krate::Defaults {
                size: #size, profile: #profile, startup_timeout: #startup, execute_timeout: #execute,
                cancel_timeout: #cancel, affinity: #affinity, lenient: #lenient, session_timeout: #session, shutdown_timeout: #shutdown, queue_limit: #queue_limit,
                supervision: #supervision,
            },
            memo: #krate::Memo::new(),
        }
    }
}

/// What tells the environment from another one that would start as well. The distributions are one text: a slice of
/// pairs would cost four times as much room, and each of them work when the program is loaded.
fn fingerprint(krate: &syn::Path, resolution: &Resolution) -> TokenStream {
    let Fingerprint {
        abi,
        site_packages,
        distributions,
        lock_files,
        ..
    } = &resolution.fingerprint;
    let lines = distributions
        .iter()
        .map(|(name, version)| format!("{name} {version}\n"));
    // An interpreter that is elsewhere was not asked for its folders.
    let text = (!site_packages.is_empty()).then(|| lines.collect::<String>());
    let text = option(text);
    let files = lock_files
        .iter()
        .map(|(path, digest)| quote!((#path, #digest)));
    quote! {
        #krate::Fingerprint { abi: #abi, distributions: #text, lock_files: &[#(#files),*] }
    }
}

/// The path of a server's script starts at the package's folder, where Cargo has both the build script and the
/// compiler look.
fn transport(krate: &syn::Path, request: &Request) -> TokenStream {
    if request.transport == Transport::Sockets {
        return quote!(#krate::Transport::Sockets);
    }
    let script = option(request.server.as_ref().map(|script| {
        if Path::new(script).is_absolute() {
            quote!(#script)
        } else {
            quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #script))
        }
    }));
    let (pool, args) = (&request.pool, &request.server_args);
    quote!(#krate::__snakepit_grpc!(#pool, #script, [#(#args),*]))
}

fn tool(krate: &syn::Path, tool: &Tool) -> TokenStream {
    let Tool {
        name,
        is_async,
        is_streaming,
        ..
    } = tool;
    let [returns, doc] = [&tool.returns, &tool.doc].map(|text| option(text.as_deref()));
    let parameters = tool.parameters.iter().map(|parameter| {
        let name = &parameter.name;
        // The runtime's kinds have the same names.
        let kind = format_ident!("{}", format!("{:?}", parameter.kind));
        let [default, annotation] =
            [&parameter.default, &parameter.annotation].map(|text| option(text.as_deref()));
        quote! {
            #krate::Parameter {
                name: #name, kind: #krate::ParameterKind::#kind, default: #default, annotation: #annotation,
            }
        }
    });
    quote! {
        #krate::Tool {
            name: #name, parameters: &[#(#parameters),*], returns: #returns, doc: #doc, is_async: #is_async,
            is_streaming: #is_streaming,
        }
    }
}

fn supervision(krate: &syn::Path, values: &Supervision) -> TokenStream {
    let [delay, longest, window, kill] = [
        values.restart_delay_ms,
        values.max_restart_delay_ms,
        values.restart_window_ms,
        values.kill_timeout_ms,
    ]
    .map(duration);
    let restarts = values.max_restarts;
    let requests = option(values.max_requests);
    let age = option(values.max_age_ms.map(duration));
    let memory = option(values.max_memory);
    let heartbeat = option(values.heartbeat_timeout_ms.map(duration));
    quote! {
        #krate::Supervision {
            restart_delay: #delay, max_restart_delay: #longest, max_restarts: #restarts, restart_window: #window,
            max_requests: #requests, max_age: #age, max_memory: #memory, heartbeat_timeout: #heartbeat,
            kill_timeout: #kill,
        }
    }
}

fn duration(milliseconds: u64) -> TokenStream {
    quote!(::core::time::Duration::from_millis(#milliseconds))
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}
