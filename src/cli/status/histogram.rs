//! What a histogram of seconds tells: how many, how long on average, and how long at most for half of them or for nearly
//! all, as Prometheus reckons it.

use serde::Serialize;

/// The counts of a histogram, one series or several added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    /// For each bound in ascending order, how many took no longer.
    buckets: Vec<(f64, f64)>,
    pub(super) count: f64,
    pub(super) sum: f64,
}

/// A time that a share of the requests kept within.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Quantile {
    /// The time.
    pub(super) seconds: f64,
    /// Whether it was longer than that: the histogram has no bound beyond.
    pub(super) is_over: bool,
}

impl Histogram {
    /// Adds what one series counts up to a bound.
    pub(super) fn add(&mut self, bound: f64, count: f64) {
        match self.buckets.iter_mut().find(|(known, _)| known.total_cmp(&bound).is_eq()) {
            Some((_, total)) => *total += count,
            None => self.buckets.push((bound, count)),
        }
        self.buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    }

    /// The seconds of one request, on average.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }

    /// Within which time this share of the requests was done; within a bucket they count as spread evenly.
    pub(super) fn quantile(&self, share: f64) -> Option<Quantile> {
        let rank = share * self.buckets.last()?.1;
        let (mut lower, mut below) = (0.0, 0.0);
        for (bound, count) in &self.buckets {
            if *count >= rank && *count > below {
                return Some(match bound.is_finite() {
                    true => {
                        let part = ((rank - below) / (count - below)).clamp(0.0, 1.0);
                        Quantile { seconds: lower + (bound - lower) * part, is_over: false }
                    }
                    false => Quantile { seconds: lower, is_over: true },
                });
            }
            (lower, below) = (*bound, *count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(f64, f64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (bound, count) in buckets {
            histogram.add(*bound, *count);
        }
        histogram
    }

    #[test]
    fn a_share_lies_within_its_bucket_and_beyond_the_last_bound_over_it() {
        let told = histogram(&[(f64::INFINITY, 10.0), (0.1, 4.0), (0.5, 8.0)]);
        let half = told.quantile(0.5).unwrap();
        assert!((half.seconds - 0.2).abs() < 1e-9 && !half.is_over, "{half:?}");
        assert_eq!(told.quantile(0.95), Some(Quantile { seconds: 0.5, is_over: true }));
        let first = told.quantile(0.2).unwrap();
        assert!((first.seconds - 0.05).abs() < 1e-9, "{first:?}");
    }

    #[test]
    fn series_add_up_and_without_requests_there_is_nothing_to_tell() {
        let twice = histogram(&[(0.1, 1.0), (0.1, 3.0), (f64::INFINITY, 1.0), (f64::INFINITY, 3.0)]);
        assert_eq!(twice.buckets, [(0.1, 4.0), (f64::INFINITY, 4.0)]);
        assert_eq!(histogram(&[(0.1, 0.0), (f64::INFINITY, 0.0)]).quantile(0.5), None);
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(Histogram::default().mean(), None);
        assert_eq!(Histogram { count: 4.0, sum: 2.0, ..Histogram::default() }.mean(), Some(0.5));
    }
}
