//! One struct to tokens: the item itself, its constants, and everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use snakepit_build::declaration::{Constant, Request};
use snakepit_build::declare::{
    Arguments, Mistake, parse_arguments, parse_item, parse_struct, remove_pool, require_struct,
};
use snakepit_build::manifest::Resolution;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DataStruct, DeriveInput, Field};

use crate::manifest;
use crate::spec::spec;

/// The item, its `#[pool]` attributes removed, and what it asks for. After an error the names are there all the
/// same, so that the compiler has nothing to add to what we said.
pub(crate) fn expand(arguments: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut item = match parse_item(tokens.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#tokens #error);
        }
    };
    let output = match require_struct(&item) {
        Ok(data) => expand_struct(arguments, &item, data),
        Err(error) => error.to_compile_error(),
    };
    remove_pool_attributes(&mut item);
    quote!(#item #output)
}

fn remove_pool_attributes(item: &mut DeriveInput) {
    let clean = |field: &mut Field| remove_pool(&mut field.attrs);
    match &mut item.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(clean),
        Data::Union(data) => data.fields.named.iter_mut().for_each(clean),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                remove_pool(&mut variant.attrs);
                variant.fields.iter_mut().for_each(clean);
            }
        }
    }
}

fn expand_struct(arguments: TokenStream, item: &DeriveInput, data: &DataStruct) -> TokenStream {
    let declaration = parse_struct(item);
    let mut mistakes = declaration.mistakes;
    let arguments = parse_arguments(arguments).unwrap_or_else(|more| {
        mistakes.extend(more);
        Arguments::default()
    });
    let mut errors: Vec<TokenStream> = mistakes.iter().map(Mistake::to_compile_error).collect();
    let mut output = TokenStream::new();
    let mut specs = BTreeMap::new();
    if !declaration.pools.is_empty() {
        let (manifest, inputs) = manifest::read(item);
        output.extend(inputs);
        match manifest {
            Err(error) => errors.push(error.to_compile_error()),
            Ok(manifest) => {
                let mut told = BTreeSet::new();
                for pool in &declaration.pools {
                    match manifest::frozen(&arguments, item, pool, &manifest, &mut told) {
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
    output.extend(constants(
        &arguments,
        item,
        data,
        &declaration.constants,
        &specs,
    ));
    output
}

/// The `impl` block, and the call that makes the running pools where the runtime has them. A pool without a spec
/// gets an empty one, which no program is linked with: its errors stand beside it.
fn constants(
    arguments: &Arguments,
    item: &DeriveInput,
    data: &DataStruct,
    declared: &[Constant],
    specs: &BTreeMap<usize, TokenStream>,
) -> TokenStream {
    let krate = &arguments.krate;
    let (mut fields, mut types) = (Vec::new(), Vec::new());
    let (mut names, mut constants) = (Vec::new(), TokenStream::new());
    let mut conditions: Vec<&[Attribute]> = Vec::new();
    let all: Vec<&Field> = data.fields.iter().collect();
    for constant in declared {
        let own = &*constant.conditions;
        let field = all[constant.field];
        let ident = field.ident.as_ref().expect("a pool's field has a name");
        let pool = ident.unraw().to_string();
        let name = format_ident!("{}", constant.name);
        let empty = || spec(arguments, &Request::new(&pool), &Resolution::default());
        let spec = specs.get(&constant.field).cloned().unwrap_or_else(empty);
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
    // Those that stand behind the macro's attribute are still there, and may take the struct away.
    let of_struct = item.attrs.iter();
    let of_struct = of_struct.filter(|attribute| attribute.path().is_ident("cfg"));
    let of_struct: Vec<&Attribute> = of_struct.collect();
    let (parameters, arguments, condition) = item.generics.split_for_impl();
    let mut output = quote! {
        #(#of_struct)*
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
            #(#of_struct)*
            #krate::__snakepit_pools! { #visibility #ident #pools #blocking { #(#(#conditions)* #fields #names: #types,)* } }
        });
    }
    output
}
