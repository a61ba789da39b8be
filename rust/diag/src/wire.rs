//! Messages of protocol buffers, field by field, without a schema.

/// One field of a message.
pub enum Value<'a> {
    /// A varint.
    Number(u64),
    /// Everything else.
    Bytes(&'a [u8]),
}

/// The fields of a message, one after the other.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    /// None as value: the message is damaged here.
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = varint(&mut self.0)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            1 => Value::Bytes(self.take(8)?),
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Bytes(self.take(4)?),
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Numbers of a repeated field, packed or not.
pub fn numbers(value: &Value<'_>, into: &mut Vec<u64>) {
    match value {
        Value::Number(number) => into.push(*number),
        Value::Bytes(bytes) => {
            let mut rest = *bytes;
            while let Some(number) = varint(&mut rest) {
                into.push(number);
            }
        }
    }
}

/// Writes messages.
#[derive(Default)]
pub struct Writer {
    /// What is written.
    pub bytes: Vec<u8>,
}

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A number; zero is not written.
    pub fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.varint(field * 8);
            self.varint(value);
        }
    }

    /// Text, or a message.
    pub fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field * 8 + 2);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// A list of numbers.
    pub fn numbers(&mut self, field: u64, values: impl Iterator<Item = u64>) {
        let mut packed = Self::default();
        values.for_each(|value| packed.varint(value));
        self.bytes(field, &packed.bytes);
    }
}
