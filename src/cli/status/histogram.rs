//! What a histogram of seconds tells: how many, how long on average, and between which bounds half of them or nearly all
//! were done.

use serde::Serialize;

/// The counts of a histogram, one series or several added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    /// For each bound in ascending order, how many took no longer.
    buckets: Vec<(f64, f64)>,
    pub(super) count: f64,
    pub(super) sum: f64,
}

/// Between which bounds the time lies that a share of the requests kept within.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Quantile {
    /// It was longer than that.
    pub(super) over_seconds: f64,
    /// And no longer than that; none where the histogram has no bound beyond.
    pub(super) at_most_seconds: Option<f64>,
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

    /// Within which time this share of the requests was done. The histogram tells only the bucket: where in it nobody knows.
    pub(super) fn quantile(&self, share: f64) -> Option<Quantile> {
        let rank = share * self.buckets.last()?.1;
        let (mut over_seconds, mut below) = (0.0, 0.0);
        for &(bound, count) in &self.buckets {
            if count >= rank && count > below {
                return Some(Quantile { over_seconds, at_most_seconds: bound.is_finite().then_some(bound) });
            }
            (over_seconds, below) = (bound, count);
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
        for (share, over_seconds, at_most_seconds) in
            [(0.2, 0.0, Some(0.1)), (0.4, 0.0, Some(0.1)), (0.5, 0.1, Some(0.5)), (0.95, 0.5, None)]
        {
            assert_eq!(told.quantile(share), Some(Quantile { over_seconds, at_most_seconds }), "{share}");
        }
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
