//! The bars of `goat heat --baseline`: steps that have to be found, and builds to which
//! nothing happens. `examples/detector.rs` prints the whole table.

mod synthetic;

use goat_diag::heat::{Rule, judge};
use synthetic::{Change, Noise, delays, false_alarms};

const NOISES: [Noise; 3] = [Noise::Quiet, Noise::Outliers, Noise::Recorded];

/// The percentage of series with an alarm within so many builds.
fn found(rule: Rule, noise: Noise, change: Change, within: usize) -> usize {
    let all = delays(rule, noise, change, 1000);
    let soon = all.iter().flatten().filter(|delay| **delay <= within);
    soon.count() * 100 / all.len()
}

#[test]
fn a_step_of_a_half_is_found_within_three_builds() {
    for noise in NOISES {
        let share = found(Rule::MedianMad, noise, Change::Step(1.5), 3);
        assert!(share >= 95, "{share} %");
        let share = found(Rule::MedianMad, noise, Change::Step(2.0), 3);
        assert!(share >= 95, "{share} %");
    }
}

#[test]
fn a_slow_drift_is_found_in_the_end() {
    for noise in NOISES {
        let share = found(Rule::MedianMad, noise, Change::Drift(1.02), 30);
        assert!(share >= 90, "{share} %");
    }
}

#[test]
fn nothing_is_seen_where_nothing_happens() {
    // One in 500 builds; where one in twenty is dear by itself, two of them in three are
    // no rarity.
    for (noise, most) in NOISES.into_iter().zip([100, 200, 100]) {
        let alarms = false_alarms(Rule::MedianMad, noise, 50_000);
        assert!(alarms <= most, "{alarms} in 50,000 builds");
    }
}

#[test]
fn the_rule_of_the_article_is_late() {
    let rule = Rule::Article;
    assert!(found(rule, Noise::Quiet, Change::Step(1.5), 3) < 5);
    assert!(found(rule, Noise::Quiet, Change::Step(1.5), 5) > 95);
    assert!(found(rule, Noise::Quiet, Change::Step(2.5), 2) > 95);
}

#[test]
fn short_series_have_no_verdict_and_short_builds_no_steps() {
    let mut values = vec![1.0; 22];
    assert_eq!(judge(Rule::MedianMad, &values).verdict, "noBaseline");
    values.extend([9.0; 3]);
    assert_eq!(judge(Rule::MedianMad, &values).verdict, "alarm");
    // 20 ms more than 10 ms are nothing to wake somebody for.
    let mut values = vec![0.01; 30];
    values.extend([0.03; 5]);
    for rule in [Rule::MedianMad, Rule::Article] {
        assert_eq!(judge(rule, &values).verdict, "ok");
    }
}
