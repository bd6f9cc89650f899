//! One struct and its manifest to tokens.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use snakepit_build::declaration::{
    Adapter, Affinity, PoolDeclaration, Profile, Request, Supervision, constant,
};
use snakepit_build::declare::{
    Arguments, Mistake, parse_arguments, parse_item, parse_struct, require_struct,
};
use snakepit_build::manifest::{Check, EnvOp, FILE_NAME, Manifest, Outcome, Resolution, Tool};
use snakepit_build::{Code, Diagnostic};
use syn::ext::IdentExt;
use syn::{Attribute, Error, Field, Item, ItemStruct};

/// The item, its `#[pool]` attributes removed, and what it asks for. After an error the names are there all the
/// same, so that the compiler has nothing to add to what we said.
pub(crate) fn expand(arguments: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut item: Item = match parse_item(tokens.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#tokens #error);
        }
    };
    let output = match require_struct(&item) {
        Ok(item) => expand_struct(arguments, item),
        Err(error) => error.to_compile_error(),
    };
    remove_pool_attributes(&mut item);
    quote!(#item #output)
}

fn remove_pool_attributes(item: &mut Item) {
    let clean = |attributes: &mut Vec<Attribute>| {
        attributes.retain(|attribute| !attribute.path().is_ident("pool"));
    };
    match item {
        Item::Struct(item) => item
            .fields
            .iter_mut()
            .for_each(|field| clean(&mut field.attrs)),
        Item::Union(item) => item
            .fields
            .named
            .iter_mut()
            .for_each(|field| clean(&mut field.attrs)),
        Item::Enum(item) => item.variants.iter_mut().for_each(|variant| {
            clean(&mut variant.attrs);
            variant
                .fields
                .iter_mut()
                .for_each(|field| clean(&mut field.attrs));
        }),
        _ => {}
    }
}

fn expand_struct(arguments: TokenStream, item: &ItemStruct) -> TokenStream {
    let declaration = parse_struct(item);
    let mut mistakes = declaration.mistakes;
    let arguments = parse_arguments(arguments).unwrap_or_else(|more| {
        mistakes.extend(more);
        Arguments::default()
    });
    let mut errors: Vec<TokenStream> = mistakes.iter().map(Mistake::to_compile_error).collect();
    let krate = &arguments.krate;
    let mut output = TokenStream::new();
    let mut specs = BTreeMap::new();
    if !declaration.pools.is_empty() {
        let (manifest, inputs) = manifest(item);
        output.extend(inputs);
        match manifest {
            Err(error) => errors.push(error.to_compile_error()),
            Ok(manifest) => {
                for pool in &declaration.pools {
                    match frozen(krate, pool, &manifest) {
                        Ok(spec) => drop(specs.insert(pool.field, spec)),
                        Err(faults) => errors.extend(faults.iter().map(|fault| {
                            // The compiler knows whether the pool is there at all.
                            let (conditions, error) = (&pool.conditions, fault.to_compile_error());
                            quote!(#(#conditions)* #error)
                        })),
                    }
                }
            }
        }
    }
    output.extend(errors);
    output.extend(constants(krate, item, &specs));
    output
}

/// The `impl` block, and the call that makes the running pools where the runtime has them. A pool without a spec
/// gets an empty one, which no program is linked with: its errors stand beside it.
fn constants(
    krate: &syn::Path,
    item: &ItemStruct,
    specs: &BTreeMap<usize, TokenStream>,
) -> TokenStream {
    let (mut fields, mut types) = (Vec::new(), Vec::new());
    let (mut names, mut constants) = (Vec::new(), TokenStream::new());
    let mut conditions: Vec<Vec<&Attribute>> = Vec::new();
    for (index, field) in item.fields.iter().enumerate() {
        let Some(ident) = field.ident.as_ref().filter(|_| is_pool(field)) else {
            continue;
        };
        let pool = ident.unraw().to_string();
        let name = format_ident!("{}", constant(&pool));
        // A name that is taken is an error already.
        let own: Vec<&Attribute> = field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .collect();
        let mut others = names.iter().zip(&conditions);
        if name == "POOLS"
            || others.any(|(other, theirs)| *other == name && (own.is_empty() || theirs.is_empty()))
        {
            continue;
        }
        let empty = || spec(krate, &Request::new(&pool), &Resolution::default());
        let spec = specs.get(&index).cloned().unwrap_or_else(empty);
        let doc = format!("The Python of the pool `{pool}`, as the build found it.");
        constants.extend(quote! {
            #(#own)*
            #[doc = #doc]
            pub const #name: &'static #krate::SpawnSpec = {
                static SPEC: #krate::SpawnSpec = #spec;
                &SPEC
            };
        });
        fields.push(ident);
        types.push(&field.ty);
        names.push(name);
        conditions.push(own);
    }
    let (ident, visibility) = (&item.ident, &item.vis);
    let (parameters, arguments, condition) = item.generics.split_for_impl();
    let mut output = quote! {
        impl #parameters #ident #arguments #condition {
            #constants
            /// Every pool of this struct.
            pub const POOLS: &'static [&'static #krate::SpawnSpec] = &[#(#(#conditions)* Self::#names),*];
        }
    };
    // The parameters are an error already, and here only the source of more.
    if item.generics.params.is_empty() {
        let pools = format_ident!("{}Pools", ident);
        let blocking = format_ident!("{}BlockingPools", ident);
        output.extend(quote! {
            #krate::__snakepit_pools! { #visibility #ident #pools #blocking { #(#(#conditions)* #fields #names: #types,)* } }
        });
    }
    output
}

fn is_pool(field: &Field) -> bool {
    field
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("pool"))
}

/// The manifest, and what makes the compiler come back when it changes.
fn manifest(item: &ItemStruct) -> (Result<Manifest, Error>, TokenStream) {
    let mut inputs = quote! {
        const _: ::core::option::Option<&str> = ::core::option_env!("SNAKEPIT_MANIFEST");
    };
    // The attribute's place as the source has it: of one inside a macro the compiler would say so at length.
    let attribute = Span::call_site().resolved_at(item.ident.span());
    let fail = |code, message: &str, help: &str| {
        Err(Error::new(attribute, Diagnostic::new(code, message, help)))
    };
    let Some(path) = manifest_path() else {
        let message = "no build script ran for this package";
        let help = "add a `build.rs` whose `main` calls `snakepit_build::emit()`, \
                    and `snakepit-build` under `[build-dependencies]`";
        return (fail(Code::ManifestNotFound, message, help), inputs);
    };
    if path.is_file()
        && let Some(path) = path.to_str()
    {
        inputs.extend(quote!(
            const _: &[u8] = ::core::include_bytes!(#path);
        ));
    }
    let manifest = Manifest::read(&path).or_else(|why| {
        let message = format!("the manifest of the build script cannot be read: {why}");
        let help = "call `snakepit_build::emit()` in `build.rs`, with `snakepit-build` of the version of `snakepit`";
        fail(Code::ManifestInvalid, &message, help)
    });
    (manifest, inputs)
}

/// One pool's spec, or its errors.
fn frozen(
    krate: &syn::Path,
    pool: &PoolDeclaration,
    manifest: &Manifest,
) -> Result<TokenStream, Vec<Error>> {
    match manifest.pools.get(&pool.key()) {
        Some(Outcome::Resolved(resolution)) => Ok(spec(krate, &pool.request, resolution)),
        Some(Outcome::Failed(faults)) => {
            let error = |fault: &Diagnostic| {
                Error::new(pool.span(fault.place()), fault.of_pool(&pool.name))
            };
            Err(faults.iter().map(error).collect())
        }
        None => {
            let message = "the build script did not see this declaration";
            let help = "call `snakepit_build::emit()` in `build.rs`; a file outside `src`, `tests`, `examples` and \
                        `benches` is named there: `Builder::new().source(\"...\").emit()`";
            let fault = Diagnostic::new(Code::DeclarationUnknown, message, help);
            let text = fault.of_pool(&pool.name);
            Err(vec![Error::new(pool.span("pool"), text)])
        }
    }
}

fn manifest_path() -> Option<PathBuf> {
    let named = env::var_os("SNAKEPIT_MANIFEST").map(PathBuf::from);
    let path = named.or_else(|| Some(PathBuf::from(env::var_os("OUT_DIR")?).join(FILE_NAME)))?;
    // `include_bytes!` takes a relative path from the source file, not from here.
    Some(std::path::absolute(&path).unwrap_or(path))
}

fn spec(krate: &syn::Path, request: &Request, resolution: &Resolution) -> TokenStream {
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
    });
    let tools = resolution.tools.iter().map(|one| tool(krate, one));
    let cwd = option(resolution.cwd.as_deref());
    let adapter = option(request.adapter.as_ref().map(Adapter::module));
    // The compiler reads the file again, and comes back when it changes.
    let embedded = match (&request.adapter, &resolution.embedded) {
        (Some(Adapter::Embed(path)), Some(file)) => quote!(::core::option::Option::Some(
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
    let supervision = supervision(krate, &request.supervision);
    quote! {
        #krate::SpawnSpec {
            pool: #name, command: #command, args: &[#(#args),*], env: &[#(#env),*], cwd: #cwd,
            metadata: #krate::Metadata {
                environment: #environment, detected_by: #detected_by, python_version: #version,
                implementation: #implementation, prefix: #prefix, base_prefix: #base_prefix,
                free_threading: #free_threading, extra: &[#(#extra),*],
            },
            checks: &[#(#checks),*], adapter: #adapter, embedded: #embedded, tools: &[#(#tools),*], python_path: &[#(#python_path),*],
            defaults: #krate::Defaults {
                size: #size, profile: #profile, startup_timeout: #startup, execute_timeout: #execute,
                cancel_timeout: #cancel, affinity: #affinity, lenient: #lenient, session_timeout: #session, shutdown_timeout: #shutdown, queue_limit: #queue_limit,
                supervision: #supervision,
            },
            memo: #krate::Memo::new(),
        }
    }
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
