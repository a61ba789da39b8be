//! The condition of `--fail-if`: comparisons of figures, joined by `&&` and `||`.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// A condition, understood.
#[derive(Debug)]
pub struct Condition {
    /// One of the lists must hold, and of a list all.
    any: Vec<Vec<Comparison>>,
}

#[derive(Debug)]
struct Comparison {
    text: String,
    figure: String,
    operator: &'static str,
    value: f64,
}

/// Two of them before the ones of one sign, so that the longer is found.
const OPERATORS: &[&str] = &[">=", "<=", "==", "!=", ">", "<"];

impl Condition {
    /// Reads a condition; `known` are the figures there are.
    pub fn parse(text: &str, known: &[String]) -> Result<Self> {
        let any = text
            .split("||")
            .map(|part| part.split("&&").map(|one| comparison(one, known)).collect())
            .collect::<Result<_>>()?;
        Ok(Self { any })
    }

    /// The comparisons that make it hold, with the figures; none where it does not.
    pub fn holds(&self, figures: &BTreeMap<String, f64>) -> Option<String> {
        let held = self
            .any
            .iter()
            .find(|all| all.iter().all(|c| c.holds(figures)))?;
        let texts: Vec<String> = held
            .iter()
            .map(|c| {
                let value = figures.get(&c.figure).copied().unwrap_or(0.0);
                format!("{} ({} is {value})", c.text, c.figure)
            })
            .collect();
        Some(texts.join(" && "))
    }
}

impl Comparison {
    fn holds(&self, figures: &BTreeMap<String, f64>) -> bool {
        let figure = figures.get(&self.figure).copied().unwrap_or(0.0);
        match self.operator {
            ">=" => figure >= self.value,
            "<=" => figure <= self.value,
            "==" => (figure - self.value).abs() < f64::EPSILON,
            "!=" => (figure - self.value).abs() >= f64::EPSILON,
            ">" => figure > self.value,
            _ => figure < self.value,
        }
    }
}

fn comparison(text: &str, known: &[String]) -> Result<Comparison> {
    let text = text.trim();
    let wrong = |what: String, hint: String| Error::new("bad_request", what).hint(hint);
    let example = "write something like 'leaked>0 || grown>50'";
    let found = OPERATORS
        .iter()
        .find_map(|operator| text.split_once(operator).map(|(l, r)| (*operator, l, r)));
    let Some((operator, figure, value)) = found else {
        let what = format!("--fail-if: {text:?} is no comparison");
        return Err(wrong(what, example.into()));
    };
    let figure = figure.trim().to_owned();
    let Ok(value) = value.trim().parse::<f64>() else {
        let what = format!("--fail-if: {:?} is no number", value.trim());
        return Err(wrong(what, example.into()));
    };
    if !known.contains(&figure) {
        let what = format!("--fail-if: there is no figure {figure:?}");
        let hint = format!("the figures are: {}", known.join(" "));
        return Err(wrong(what, hint));
    }
    Ok(Comparison {
        text: text.to_owned(),
        figure,
        operator,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        let known = vec!["leaked".to_owned(), "grown".into(), "new.changed".into()];
        let figures = BTreeMap::from([("leaked".to_owned(), 2.0), ("grown".into(), 50.0)]);
        for (text, holds) in [
            ("leaked>0", true),
            ("leaked > 2 || grown>=50", true),
            ("leaked>0 && grown>50", false),
            ("new.changed!=0", false),
            ("new.changed==0", true),
        ] {
            let condition = Condition::parse(text, &known).expect(text);
            assert_eq!(condition.holds(&figures).is_some(), holds, "{text}");
        }
        for text in ["", "leaked", "leaked>x", "lost>1", "leaked>0 ||"] {
            assert!(Condition::parse(text, &known).is_err(), "{text}");
        }
    }
}
