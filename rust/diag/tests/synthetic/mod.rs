//! Series of builds that were never made: noise as builds have it, and what may happen to
//! them. The same numbers each time.

use goat_diag::heat::{Rule, judge};

/// A generator of numbers that look random (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// A number from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of the standard normal distribution.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// How builds of the same thing differ.
#[derive(Clone, Copy)]
pub enum Noise {
    /// 5 % (sigma), as user CPU time has it on a shared machine.
    Quiet,
    /// The same, and one build in twenty takes 1.3 to 2 times as long.
    Outliers,
    /// What builds of one program really took, drawn at random.
    Recorded,
}

/// User CPU seconds of builds that differed in one constant, on a machine of two cores that
/// other builds kept busy.
const RECORDED: &[f64] = &[
    2.485, 2.304, 2.466, 2.313, 2.439, 2.401, 2.301, 2.866, 2.538, 2.679, 2.689, 2.527, 2.680,
    2.815, 2.773, 2.766, 2.129, 2.609, 2.536, 2.216, 2.780, 2.758, 2.648, 2.151, 2.817, 2.697,
    1.662, 2.142, 2.284, 2.524, 2.426, 2.546, 2.141, 2.444, 2.177, 2.188, 2.159, 2.131, 1.984,
    2.423,
];

impl Noise {
    fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Quiet => 20.0 * (0.05 * random.normal()).exp(),
            Self::Outliers => {
                let usual = Self::Quiet.draw(random);
                if random.unit() < 0.05 {
                    usual * (1.3 + 0.7 * random.unit())
                } else {
                    usual
                }
            }
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "an index"
            )]
            Self::Recorded => RECORDED[(random.unit() * RECORDED.len() as f64) as usize],
        }
    }
}

/// What happens to the builds.
#[derive(Clone, Copy)]
pub enum Change {
    /// From one build on they take so many times as long.
    Step(f64),
    /// Each takes so many times as long as the one before.
    Drift(f64),
}

/// Builds before anything happens, and how long it is waited for an alarm.
const BEFORE: usize = 40;
const AFTER: usize = 30;

/// After how many builds each of `series` series gives an alarm; none where it does not.
pub fn delays(rule: Rule, noise: Noise, change: Change, series: u64) -> Vec<Option<usize>> {
    (0..series)
        .map(|number| {
            let mut random = Random(number);
            let mut values: Vec<f64> = (0..BEFORE).map(|_| noise.draw(&mut random)).collect();
            let mut factor = 1.0;
            (1..=AFTER).find(|_| {
                factor = match change {
                    Change::Step(by) => by,
                    Change::Drift(by) => factor * by,
                };
                values.push(noise.draw(&mut random) * factor);
                judge(rule, &values).alarms()
            })
        })
        .collect()
}

/// How many alarms there are in so many builds to which nothing happens. Builds in a row
/// that are called dear are one alarm.
pub fn false_alarms(rule: Rule, noise: Noise, builds: usize) -> usize {
    let mut random = Random(7);
    let mut values: Vec<f64> = (0..BEFORE).map(|_| noise.draw(&mut random)).collect();
    let mut before = false;
    let mut alarms = 0;
    for _ in 0..builds {
        values.push(noise.draw(&mut random));
        // The rules look at no more than this.
        let from = values.len().saturating_sub(60);
        let now = judge(rule, &values[from..]).alarms();
        alarms += usize::from(now && !before);
        before = now;
    }
    alarms
}
