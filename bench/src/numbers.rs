//! Median, percentile, and numbers as the tables show them.

/// The middle of them; 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The smallest value that `part` of a hundred do not exceed.
pub(crate) fn percentile(values: &[f64], part: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * part).div_ceil(100);
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

/// With three digits that count.
pub(crate) fn short(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}

/// How many times as much.
pub(crate) fn ratio(value: f64, of: f64) -> String {
    if of > 0.0 { format!("{} x", short(value / of)) } else { "-".to_owned() }
}

/// A byte count as a number that is shown, in MB of 1,000,000 bytes.
pub(crate) fn mb(bytes: u64) -> f64 {
    whole(bytes) / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "what is measured here is far below 2^52")]
pub(crate) fn whole(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let found = [median(&values), percentile(&values, 95), percentile(&values, 100)];
        assert_eq!(found.map(short), [10.0, 19.0, 20.0].map(short));
        assert_eq!(short(median(&[])), short(0.0));
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        assert_eq!([0.123, 9.999, 41.26, 1234.5].map(short), ["0.12", "10.0", "41.3", "1234"]);
    }
}
