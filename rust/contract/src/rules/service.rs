//! Rules about services and their methods.

use crate::finding::Findings;
use crate::schema::{Method, Service, Spot};

/// Compares a service.
pub fn compare(old: &Service, new: &Service, found: &mut Findings<'_>) {
    for (name, old) in &old.methods {
        if let Some(new) = new.methods.get(name) {
            method(old, new, found);
        } else {
            let message = "the method is gone".to_owned();
            found.gone("RPC_NO_DELETE", &old.head.place, &old.head.full, message);
        }
    }
}

fn method(old: &Method, new: &Method, found: &mut Findings<'_>) {
    let name = &new.head.full;
    let mut same = |rule, what, old: &Spot<String>, new: &Spot<String>| {
        if old.value != new.value {
            let message = format!("{what} changed from {} to {}", old.value, new.value);
            found.here(rule, &new.place, name, message);
        }
    };
    same(
        "RPC_SAME_REQUEST_TYPE",
        "the request type",
        &old.input,
        &new.input,
    );
    same(
        "RPC_SAME_RESPONSE_TYPE",
        "the response type",
        &old.output,
        &new.output,
    );
    let level = |method: &Method| {
        let written = method.options.get("idempotency_level").cloned();
        written.unwrap_or_else(|| Spot {
            value: "IDEMPOTENCY_UNKNOWN".to_owned(),
            place: method.head.place.clone(),
        })
    };
    same(
        "RPC_SAME_IDEMPOTENCY_LEVEL",
        "idempotency_level",
        &level(old),
        &level(new),
    );
    let streams = |streams: bool| Spot {
        value: if streams { "streaming" } else { "unary" }.to_owned(),
        place: new.head.place.clone(),
    };
    let (was, is) = (streams(old.client_streams), streams(new.client_streams));
    same("RPC_SAME_CLIENT_STREAMING", "the client's side", &was, &is);
    let (was, is) = (streams(old.server_streams), streams(new.server_streams));
    same("RPC_SAME_SERVER_STREAMING", "the server's side", &was, &is);
}
