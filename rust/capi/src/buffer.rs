//! The one owned type that crosses the boundary.

/// Bytes that the library owns and the caller frees, once, with `goat_buffer_free`.
///
/// Owning means the right and the duty to free exactly once. A buffer of length 0
/// has a NULL pointer and owns nothing.
#[repr(C)]
#[derive(Debug)]
pub struct GoatBuffer {
    /// First byte; NULL if `len` is 0. Not terminated by NUL.
    pub data: *mut u8,
    /// Number of bytes.
    pub len: usize,
}

impl GoatBuffer {
    /// A buffer that owns nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            data: std::ptr::null_mut(),
            len: 0,
        }
    }

    /// Takes the bytes back into Rust.
    ///
    /// # Safety
    ///
    /// The buffer must have been made by `GoatBuffer::from` and not taken back before.
    #[must_use]
    pub unsafe fn into_bytes(self) -> Box<[u8]> {
        if self.data.is_null() {
            return Box::default();
        }
        let slice = std::ptr::slice_from_raw_parts_mut(self.data, self.len);
        // SAFETY: `from` made exactly this pointer and length out of a Box, and the
        // caller promises that nobody has taken it back since.
        unsafe { Box::from_raw(slice) }
    }
}

impl From<Vec<u8>> for GoatBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return Self::empty();
        }
        let len = bytes.len();
        let data = Box::into_raw(bytes.into_boxed_slice()).cast::<u8>();
        Self { data, len }
    }
}
