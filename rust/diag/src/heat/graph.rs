//! go's action graph (`go build -debug-actiongraph`): what waits for what, and when.

use serde::Deserialize;

/// One action, under go's own names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Action {
    #[serde(rename = "ID")]
    pub id: usize,
    pub mode: String,
    pub package: String,
    pub deps: Vec<usize>,
    pub priority: i64,
    time_ready: String,
    time_start: String,
    time_done: String,
    pub cmd_real: u64,
    pub cmd_user: u64,
    pub cmd_sys: u64,
}

impl Action {
    /// When it could have begun, in nanoseconds since 1970.
    pub fn ready(&self) -> Option<u64> {
        instant(&self.time_ready)
    }

    /// When it began.
    pub fn started(&self) -> Option<u64> {
        instant(&self.time_start)
    }

    /// When it ended.
    pub fn done(&self) -> Option<u64> {
        instant(&self.time_done)
    }

    /// How long it ran, in nanoseconds; 0 where it has not run to its end.
    pub fn took(&self) -> u64 {
        match (self.started(), self.done()) {
            (Some(started), Some(done)) => done.saturating_sub(started),
            _ => 0,
        }
    }

    /// Whether it is the compilation of a package.
    pub fn compiles(&self) -> bool {
        self.mode == "build" && !self.package.is_empty()
    }

    /// Whether a tool ran for it: what go took from its cache has run none.
    pub fn ran(&self) -> bool {
        self.cmd_real > 0
    }
}

/// A time as RFC 3339 spells it, in nanoseconds since 1970; none for what is before.
fn instant(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let zone = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone);
    let mut parts = clock.splitn(3, ':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let (second, fraction) = match parts.next()?.split_once('.') {
        Some((second, fraction)) => (second, format!("{fraction:0<9}")),
        None => (clock.rsplit(':').next()?, "0".to_owned()),
    };
    let second: i64 = second.parse().ok()?;
    let nanos: i64 = fraction.get(..9).unwrap_or(&fraction).parse().ok()?;
    let total =
        days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    u64::try_from(total.checked_mul(1_000_000_000)?.checked_add(nanos)?)
        .ok()
        .filter(|at| *at > 0)
}

/// The seconds by which a zone is ahead.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'Z' => return Some(0),
        b'-' => -1,
        _ => 1,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

/// Days from 1970 to a date of the Gregorian calendar; the year begins in March, so that
/// the day of a leap year is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn times_of_every_zone_are_read() {
        let cases = [
            ("1970-01-01T00:00:01Z", Some(1_000_000_000)),
            (
                "2026-11-28T05:06:05.746722097Z",
                Some(1_795_842_365_746_722_097),
            ),
            (
                "2026-11-28T07:06:05.7+02:00",
                Some(1_795_842_365_700_000_000),
            ),
            ("2024-02-29T23:59:59-00:30", Some(1_709_252_999_000_000_000)),
            ("0001-01-01T00:00:00Z", None),
            ("", None),
            ("soon", None),
        ];
        for (text, want) in cases {
            assert_eq!(instant(text), want, "{text}");
        }
    }
}
