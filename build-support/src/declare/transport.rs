//! The keys `transport`, `server` and `server_args` together: what each demands of the others.

use std::collections::BTreeMap;

use proc_macro2::Span;

use super::mistake::Mistake;
use crate::catalogue::Code;
use crate::declaration::{Adapter, PoolDeclaration, Request, Transport};

/// What a gRPC server in Python needs.
const REQUIRES: [&str; 2] = ["grpcio>=1.60", "protobuf>=4.25"];

/// Holds the keys against each other, and adds what the transport requires of the environment.
pub(super) fn settle(pool: &mut PoolDeclaration, mistakes: &mut Vec<Mistake>) {
    let spans = pool.spans.clone();
    let mistake = |key: &str, message: &str, help: &str| {
        Mistake::at(span(&spans, key), Code::ValueInvalid, message, help)
    };
    let request = &mut pool.request;
    if request.transport == Transport::Sockets {
        for key in ["server", "server_args"] {
            if spans.contains_key(key) {
                let message = format!("`{key}` is for pools whose workers are gRPC servers");
                mistakes.push(mistake(
                    key,
                    &message,
                    "add `transport = grpc`, or remove it",
                ));
            }
        }
        return;
    }
    if request.kind == "docker" {
        let message = "a gRPC server in a container cannot be reached";
        mistakes.push(mistake("transport", message, "remove `transport = grpc`"));
    }
    if request.server.is_some() {
        foreign(request, &mistake, mistakes);
    } else if !request.server_args.is_empty() {
        let message = "these are arguments of a server of your own, and none is named";
        let help = "add `server = \"path/grpc_server.py\"` with its script, or remove them";
        mistakes.push(mistake("server_args", message, help));
    }
    let place = span(&spans, "transport");
    for text in REQUIRES {
        let place_of = format!("requires:{}", request.requires.len());
        pool.spans.insert(place_of, place);
        request.requires.push(text.to_owned());
    }
}

/// What a server of the user's own does by its own rules.
fn foreign(
    request: &Request,
    mistake: &dyn Fn(&str, &str, &str) -> Mistake,
    mistakes: &mut Vec<Mistake>,
) {
    if request.lenient {
        let message =
            "a server of your own makes its values by its own rules: `lenient` does not reach it";
        mistakes.push(mistake("lenient", message, "remove it"));
    }
    if request.adapter.as_ref().is_some_and(Adapter::is_embedded) {
        let message = "a server of your own imports its adapter itself: it cannot be embedded";
        let help = "write `adapter = \"module:Class\"`, and its folder under `python_path`";
        mistakes.push(mistake("adapter", message, help));
    }
}

fn span(spans: &BTreeMap<String, Span>, key: &str) -> Span {
    let span = spans.get(key).or_else(|| spans.get("pool"));
    span.copied().unwrap_or_else(Span::call_site)
}

#[cfg(test)]
mod tests {
    use crate::declaration::{Request, Transport};
    use crate::declare::tests::request;

    fn parsed(settings: &str) -> Result<Request, String> {
        request(&format!("#[pool({settings})]"))
    }

    #[test]
    fn a_server_brings_what_it_requires_of_its_environment() {
        let request = parsed(
            "server_args = [\"--max\", \"4\"], adapter = \"service.tools:Adapter\", requires = [\"numpy\"],
             server = \"python/server.py\", transport = grpc",
        )
        .unwrap();
        assert_eq!(request.transport, Transport::Grpc);
        assert_eq!(request.server.as_deref(), Some("python/server.py"));
        assert_eq!(request.server_args, ["--max", "4"]);
        assert_eq!(
            request.requires,
            ["numpy", "grpcio>=1.60", "protobuf>=4.25"]
        );
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        let server = "transport = grpc, server = \"s.py\"";
        for (settings, wanted) in [
            (
                "transport = grpc, server_args = [\"a\"]".to_owned(),
                "add `server = ",
            ),
            ("transport = http".to_owned(), "known are sockets, grpc"),
            ("server = \"s.py\"".to_owned(), "add `transport = grpc`"),
            ("server_args = [\"a\"]".to_owned(), "add `transport = grpc`"),
            (
                format!("{server}, environment = docker(image = \"i\")"),
                "cannot be reached",
            ),
            (
                format!("{server}, adapter = embed(\"a.py\")"),
                "cannot be embedded",
            ),
            (
                format!("{server}, lenient = true"),
                "`lenient` does not reach it",
            ),
        ] {
            let said = parsed(&settings).unwrap_err();
            assert!(said.contains(wanted), "{settings}: {said}");
        }
    }
}
