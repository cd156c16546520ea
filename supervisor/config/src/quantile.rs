//! Distributions as tables of quantiles, for a kernel without floating point. The arithmetic is that of the `libm` crate,
//! not of the host's library: a table must not differ from one machine to the next.

use simrun_abi::faults::{Draw, TABLE_PARTS};

/// Levels of a table: the last one resolves the last part in 256^2.
const LEVELS: u32 = 3;
/// What stands for a probability of zero, where most distributions have no end.
const TAIL_MIN: f64 = 1.0 / ((1u64 << 25) as f64);

/// The table of a distribution. `quantile` gives the value that is exceeded with a probability; what is below zero or
/// above `max` is cut off.
pub fn table(quantile: impl Fn(f64) -> f64, max: u64) -> Draw {
    let parts = TABLE_PARTS as f64;
    let level = |depth: u32| {
        let width = libm::pow(parts, -f64::from(depth));
        let value = |index: usize| {
            let exceeded = width * (TABLE_PARTS - index) as f64 / parts;
            let value = quantile(exceeded.clamp(TAIL_MIN, 1.0 - TAIL_MIN));
            // `as` cuts off at both ends.
            (libm::rint(value) as u64).min(max)
        };
        (0..=TABLE_PARTS).map(value).collect()
    };
    Draw::Table((0..LEVELS).map(level).collect())
}

/// How many standard deviations above the mean a normal variable is with this probability.
pub fn normal(exceeded: f64) -> f64 {
    let probability = |z: f64| 0.5 * libm::erfc(z / std::f64::consts::SQRT_2);
    // Bisection: the probability falls with z, and 2^-25 is above -6 and below 6.
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if probability(middle) > exceeded { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// An exponential variable with mean one.
pub fn exponential(exceeded: f64) -> f64 {
    -libm::log(exceeded)
}

/// A Pareto variable of at least one.
pub fn pareto(exceeded: f64, shape: f64) -> f64 {
    libm::pow(exceeded, -1.0 / shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean of what is drawn from a table by the kernel, and its standard deviation.
    fn moments(draw: Draw) -> (f64, f64) {
        let Draw::Table(levels) = &draw else { panic!("no table") };
        // Each part of a level is as likely as the others; of all but the last level the last part is another level.
        let (mut mean, mut square) = (0.0, 0.0);
        for (depth, level) in levels.iter().enumerate() {
            let weight = (TABLE_PARTS as f64).powi(-(depth as i32 + 1));
            let parts = TABLE_PARTS - usize::from(depth + 1 < levels.len());
            for pair in level.windows(2).take(parts) {
                let (a, b) = (pair[0] as f64, pair[1] as f64);
                mean += weight * (a + b) / 2.0;
                square += weight * (a * a + a * b + b * b) / 3.0;
            }
        }
        (mean, (square - mean * mean).sqrt())
    }

    #[test]
    fn tables_have_the_moments_of_their_distributions() {
        let sigma: f64 = 0.5;
        let lognormal_mean = 1e6 * (sigma * sigma / 2.0).exp();
        let lognormal_deviation = lognormal_mean * ((sigma * sigma).exp() - 1.0).sqrt();
        let cases: [(Draw, f64, f64); 4] = [
            (table(|q| 1e6 + 1e5 * normal(q), u64::MAX), 1e6, 1e5),
            (table(|q| 1e6 * exponential(q), u64::MAX), 1e6, 1e6),
            (
                table(|q| 1e6 * (sigma * normal(q)).exp(), u64::MAX),
                lognormal_mean,
                lognormal_deviation,
            ),
            // shape / (shape - 1), and the root of shape / ((shape - 1)^2 (shape - 2))
            (table(|q| 1e6 * pareto(q, 4.0), u64::MAX), 4e6 / 3.0, 1e6 * (2.0f64 / 9.0).sqrt()),
        ];
        for (draw, mean, deviation) in cases {
            let (found, spread) = moments(draw);
            assert!((found / mean - 1.0).abs() < 0.003, "{found} instead of {mean}");
            assert!((spread / deviation - 1.0).abs() < 0.03, "{spread} instead of {deviation}");
        }
    }

    #[test]
    fn tables_rise_and_stay_within_bounds() {
        let Draw::Table(levels) = table(|q| 100.0 + 1000.0 * normal(q), 1500) else { panic!() };
        for level in &levels {
            assert_eq!(level.len(), TABLE_PARTS + 1);
            assert!(level.is_sorted() && level.iter().all(|&value| value <= 1500));
        }
        assert_eq!((levels[0][0], levels[2][TABLE_PARTS]), (0, 1500));
        assert!(levels.windows(2).all(|pair| pair[0][TABLE_PARTS - 1] == pair[1][0]));
    }
}
