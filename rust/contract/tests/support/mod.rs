//! Requests of the tests.

use serde_json::{Value, json};

/// Compares files, by all rules of FILE where `with` says nothing else.
pub fn compare(files: &[Value], with: &Value) -> Value {
    let mut request = json!({
        "format": 1, "op": "protobuf", "roots": ["."], "rules": ["FILE"], "files": files,
    });
    for (key, value) in with.as_object().expect("an object") {
        request[key] = value.clone();
    }
    let answer = goat_contract::run(request.to_string().as_bytes(), &|| false);
    serde_json::from_slice(&answer.expect("an operation of this crate")).expect("JSON")
}

/// All findings of an answer.
pub fn findings(answer: &Value) -> Vec<Value> {
    assert!(answer["error"].is_null(), "{}", answer["error"]);
    let roots = answer["result"]["roots"].as_array().expect("roots");
    let lists = roots
        .iter()
        .map(|root| root["findings"].as_array().expect("findings"));
    lists.flatten().cloned().collect()
}
