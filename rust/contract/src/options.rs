//! Options as they are written: the language's own by name, those of somebody's making
//! left out. They are read before the compiler sees them, so that a definition of an
//! option which is not at hand is no obstacle.

use prost_types::UninterpretedOption;

/// The language's own options of an element, by name, with their number in its list. A
/// later one of a name counts.
pub fn own(list: &[UninterpretedOption]) -> impl Iterator<Item = (&str, String, usize)> {
    list.iter().enumerate().filter_map(|(at, option)| {
        let [part] = option.name.as_slice() else {
            return None;
        };
        (!part.is_extension).then(|| (part.name_part.as_str(), text(option), at))
    })
}

/// Whether a boolean option is set.
pub fn is_true(list: &[UninterpretedOption], name: &str) -> bool {
    own(list)
        .filter(|(found, _, _)| *found == name)
        .last()
        .is_some_and(|(_, value, _)| value == "true")
}

fn text(option: &UninterpretedOption) -> String {
    if let Some(word) = &option.identifier_value {
        return word.clone();
    }
    if let Some(bytes) = &option.string_value {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    if let Some(number) = option.positive_int_value {
        return number.to_string();
    }
    if let Some(number) = option.negative_int_value {
        return number.to_string();
    }
    if let Some(number) = option.double_value {
        return number.to_string();
    }
    option.aggregate_value.clone().unwrap_or_default()
}
