//! The requests of the C ABI (contracts.md 5 and 7.15): JSON in, JSON out.
//!
//! Unknown fields are refused, so that a typing error never silently plans
//! something else. Errors are values: `{"error":{code,message,hint,path,causes}}`.

mod file;
mod files;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::inplace;
use crate::pipeline::{self, Options};
use crate::plan;

/// Number of the request and plan formats.
pub const FORMAT: u32 = 1;

/// The descriptors of a request that the caller (the C side) has to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// End of file on it means cancel; -1 for none.
    pub control: i32,
    /// Progress goes there as JSON lines; -1 for none.
    pub progress: i32,
}

/// Reads only the descriptors of a request. A request that cannot be read has none;
/// [`run`] says what is wrong with it.
#[must_use]
pub fn descriptors(request: &[u8]) -> Descriptors {
    let value: Value = serde_json::from_slice(request).unwrap_or_default();
    let number = |key| {
        value
            .get(key)
            .and_then(Value::as_i64)
            .and_then(|n| i32::try_from(n).ok())
    };
    Descriptors {
        control: number("controlFd").unwrap_or(-1),
        progress: number("progressFd").unwrap_or(-1),
    }
}

/// The head that all requests share.
#[derive(Deserialize)]
struct Head {
    format: u32,
    op: String,
}

/// Runs one request and gives its answer, `{"result":…}` or `{"error":…}`.
#[must_use]
pub fn run(request: &[u8], control: &Control) -> Vec<u8> {
    match dispatch(request, control) {
        Ok(result) => [b"{\"result\":", result.as_slice(), b"}"].concat(),
        Err(error) => json!({ "error": error }).to_string().into_bytes(),
    }
}

/// Gives the result as JSON.
fn dispatch(request: &[u8], control: &Control) -> Result<Vec<u8>> {
    let head: Head = serde_json::from_slice(request).map_err(|e| bad_request(&e))?;
    if head.format != FORMAT {
        return Err(Error::new(
            Code::BadRequest,
            format!("request format {} is not {FORMAT}", head.format),
        )
        .hint("rebuild with the same goat"));
    }
    match head.op.as_str() {
        "version" => Ok(version().to_string().into_bytes()),
        "plan" => {
            let options: Options = read(request)?;
            options.check()?;
            pipeline::run(options, control)
        }
        "requirements" => {
            let options: Options = read(request)?;
            options.check()?;
            answer(&pipeline::requirements(&options)?)
        }
        "instrument" => file::instrument(&read(request)?),
        "track" | "patch" => answer(&inplace::track::run(&read(request)?, control)?),
        "recover" => answer(&inplace::restore(&read(request)?, control)?),
        "clean" => answer(&inplace::clean::run(&read(request)?, control)?),
        "files" => answer(&files::files(&read(request)?, control)?),
        "inspect" => Ok(file::inspect(&read(request)?)),
        other => Err(Error::new(
            Code::BadRequest,
            format!("unknown operation {other:?}"),
        )),
    }
}

fn answer(result: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(result)
        .map_err(|cause| Error::new(Code::Internal, "the answer cannot be written").cause(cause))
}

fn read<'r, T: Deserialize<'r>>(request: &'r [u8]) -> Result<T> {
    serde_json::from_slice(request).map_err(|e| bad_request(&e))
}

fn bad_request(cause: &serde_json::Error) -> Error {
    Error::new(Code::BadRequest, "the request cannot be read").cause(cause)
}

fn version() -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        // The core does not know it: it would be compiled again for each commit.
        "commit": "",
        "abi": FORMAT,
        "planFormat": plan::FORMAT,
    })
}
