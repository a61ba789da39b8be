//! Rules about fields and extensions of one number.

use crate::finding::Findings;
use crate::rules::types::Reader;
use crate::schema::{Cardinality, Field, Place, Schema, Type, Unset};

/// Compares a field.
pub fn compare(sides: (&Schema, &Schema), old: &Field, new: &Field, found: &mut Findings<'_>) {
    let mut pair = Pair { old, new, found };
    pair.names();
    pair.cardinality();
    pair.types(sides);
    pair.default();
    pair.oneof();
    pair.options();
    pair.utf8();
}

struct Pair<'p, 'f> {
    old: &'p Field,
    new: &'p Field,
    found: &'p mut Findings<'f>,
}

impl Pair<'_, '_> {
    /// Adds a finding that the value of something changed.
    fn changed(&mut self, rules: &[&str], what: &str, values: (&str, &str), place: &Place) {
        for rule in rules {
            let message = format!("{what} changed from {} to {}", values.0, values.1);
            self.found.here(rule, place, &self.new.head.full, message);
        }
    }

    fn names(&mut self) {
        let (old, new) = (self.old, self.new);
        let name = |field: &Field| {
            if field.extension {
                field.head.full.clone()
            } else {
                field.name.value.clone()
            }
        };
        let (was, is) = (name(old), name(new));
        if was != is {
            let what = format!("the name of field {}", new.number);
            self.changed(&["FIELD_SAME_NAME"], &what, (&was, &is), &new.name.place);
        }
        if !new.extension && old.json.value != new.json.value {
            let values = (old.json.value.as_str(), new.json.value.as_str());
            self.changed(
                &["FIELD_SAME_JSON_NAME"],
                "json_name",
                values,
                &new.json.place,
            );
        }
    }

    fn cardinality(&mut self) {
        let (was, is) = (self.old.cardinality, self.new.cardinality);
        if was == is {
            return;
        }
        // On the wire a map is a repeated message; in JSON it is not.
        let wire = |cardinality| match cardinality {
            Cardinality::Explicit | Cardinality::Implicit => 1,
            Cardinality::Required => 2,
            Cardinality::Repeated | Cardinality::Map => 3,
        };
        let json = |cardinality| match cardinality {
            Cardinality::Map => 4,
            other => wire(other),
        };
        let mut rules = vec!["FIELD_SAME_CARDINALITY"];
        if json(was) != json(is) {
            rules.push("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY");
        }
        if wire(was) != wire(is) {
            rules.push("FIELD_WIRE_COMPATIBLE_CARDINALITY");
        }
        let place = self.new.head.place.clone();
        self.changed(&rules, "the cardinality", (was.words(), is.words()), &place);
    }

    fn types(&mut self, (base, release): (&Schema, &Schema)) {
        let (was, is) = (&self.old.kind.value, &self.new.kind.value);
        if was == is {
            return;
        }
        let mut rules = vec!["FIELD_SAME_TYPE"];
        if !Reader::json(base, release).reads(was, is) {
            rules.push("FIELD_WIRE_JSON_COMPATIBLE_TYPE");
        }
        if !Reader::wire(base, release).reads(was, is) {
            rules.push("FIELD_WIRE_COMPATIBLE_TYPE");
        }
        let (was, is) = (was.to_string(), is.to_string());
        let place = self.new.kind.place.clone();
        self.changed(&rules, "the type", (&was, &is), &place);
    }

    fn default(&mut self) {
        let (old, new) = (self.old, self.new);
        if same_default(old, new) {
            return;
        }
        let said = |field: &Field| {
            let written = &field.written.value;
            if written.is_empty() {
                "none".to_owned()
            } else {
                format!("{written:?}")
            }
        };
        let (was, is) = (said(old), said(new));
        self.changed(
            &["FIELD_SAME_DEFAULT"],
            "the default",
            (&was, &is),
            &new.written.place,
        );
    }

    fn oneof(&mut self) {
        let (old, new) = (self.old, self.new);
        if old.oneof == new.oneof {
            return;
        }
        let message = match (&old.oneof, &new.oneof) {
            (Some(was), Some(is)) => format!("moved from the oneof {was:?} to {is:?}"),
            (Some(was), None) => format!("moved out of the oneof {was:?}"),
            (None, Some(is)) => format!("moved into the oneof {is:?}"),
            (None, None) => return,
        };
        let place = &new.head.place;
        self.found
            .here("FIELD_SAME_ONEOF", place, &new.head.full, message);
    }

    fn options(&mut self) {
        let (old, new) = (self.old, self.new);
        let both = |names: &[&str]| {
            let is = |field: &Field| matches!(field.kind.value, Type::Scalar(name) if names.contains(&name));
            is(old) && is(new)
        };
        let value = |field: &Field, option: &str, unset: &str| {
            let spot = field.options.get(option);
            spot.map_or_else(|| unset.to_owned(), |spot| spot.value.clone())
        };
        let place = |option: &str| {
            let spot = new.options.get(option);
            spot.map_or(&new.head.place, |spot| &spot.place).clone()
        };
        if both(&["int64", "uint64", "sint64", "fixed64", "sfixed64"]) {
            let unset = "JS_NORMAL";
            let (was, is) = (value(old, "jstype", unset), value(new, "jstype", unset));
            if was != is {
                self.changed(
                    &["FIELD_SAME_JSTYPE"],
                    "jstype",
                    (&was, &is),
                    &place("jstype"),
                );
            }
        }
        if both(&["string", "bytes"]) {
            let (was, is) = (value(old, "ctype", "STRING"), value(new, "ctype", "STRING"));
            // The C++ API of a string takes what a piece of one does.
            if was != is && (was.as_str(), is.as_str()) != ("STRING_PIECE", "STRING") {
                let rules = ["FIELD_SAME_CPP_STRING_TYPE"];
                self.changed(&rules, "the C++ type", (&was, &is), &place("ctype"));
            }
        }
    }

    fn utf8(&mut self) {
        let (old, new) = (self.old, self.new);
        let holds = |field: &Field| holds_string(&field.kind.value);
        if !holds(old) || !holds(new) {
            return;
        }
        let words = |checked| if checked { "VERIFY" } else { "NONE" };
        let place = new.head.place.clone();
        if old.proto3 != new.proto3 {
            let values = (words(old.proto3), words(new.proto3));
            self.changed(
                &["FIELD_SAME_UTF8_VALIDATION"],
                "the check of UTF-8",
                values,
                &place,
            );
        }
        let java = |field: &Field| field.proto3 || field.java_utf8;
        if java(old) != java(new) {
            let values = (words(java(old)), words(java(new)));
            let rules = ["FIELD_SAME_JAVA_UTF8_VALIDATION"];
            self.changed(&rules, "the check of UTF-8 in Java", values, &place);
        }
    }
}

fn holds_string(kind: &Type) -> bool {
    match kind {
        Type::Scalar(name) => *name == "string",
        Type::Map(entry) => holds_string(&entry.0) || holds_string(&entry.1),
        _ => false,
    }
}

/// Whether a field that is not set has the same value; where the type changed, as far as
/// values of both can be compared.
fn same_default(old: &Field, new: &Field) -> bool {
    let float = |field: &Field| field.kind.value == Type::Scalar("float");
    match (&old.default, &new.default) {
        (Unset::None, _) | (_, Unset::None) => true,
        (Unset::Text(was), Unset::Text(is)) => was == is,
        (Unset::Whole(was), Unset::Whole(is)) => was == is,
        (Unset::Text(text), other) | (other, Unset::Text(text)) => {
            text.is_empty() && is_zero(other)
        }
        (was, is) => {
            let (was, is) = (number(was), number(is));
            let narrow = float(old) || float(new);
            was.is_nan() && is.is_nan()
                || was.total_cmp(&is).is_eq()
                || was.abs() + is.abs() == 0.0
                || narrow && (was - is).abs() <= f64::from(f32::EPSILON) * was.abs()
        }
    }
}

fn is_zero(value: &Unset) -> bool {
    match value {
        Unset::Whole(number) => *number == 0,
        Unset::Real(number) => number.abs() == 0.0,
        Unset::Text(text) => text.is_empty(),
        Unset::None => true,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "only held against a floating-point number"
)]
fn number(value: &Unset) -> f64 {
    match value {
        Unset::Whole(number) => *number as f64,
        Unset::Real(number) => *number,
        Unset::Text(_) | Unset::None => f64::NAN,
    }
}
