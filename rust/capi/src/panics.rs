//! Where a panic happened. Only a panic hook is told the place, and it runs on the
//! thread that panicked, which may be one of a pool; so the hook notes text and place,
//! and the boundary looks the place up by the text of the panic that it caught.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

/// Enough for every panic of one failing parallel step; older ones are forgotten.
const KEPT: usize = 64;

static INSTALL: Once = Once::new();
static NOTES: Mutex<VecDeque<(String, String)>> = Mutex::new(VecDeque::new());

/// Notes panics from now on. Those on goat's own threads are not printed: they come
/// back as error values. All others go on to the hook that was there before.
pub fn record() {
    INSTALL.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            if !thread::current()
                .name()
                .is_some_and(|name| name.starts_with("goat"))
            {
                before(info);
            }
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let Some(place) = info.location() else { return };
    let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    if notes.len() == KEPT {
        notes.pop_front();
    }
    notes.push_back((text(info.payload()), place.to_string()));
}

/// The place of the newest panic with this text, which is then forgotten.
pub fn take_place(text: &str) -> Option<String> {
    let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    let index = notes.iter().rposition(|(noted, _)| noted == text)?;
    notes.remove(index).map(|(_, place)| place)
}

/// What a panic said.
pub fn text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_string())
}
