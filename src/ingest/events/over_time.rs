//! Time as a weight: means and sums of measurements that hold until the next one, and of what lasts.

/// Beginning, end and value of what lasts.
pub(in crate::ingest) type Lasting = (i64, i64, f64);

/// Seconds that a measurement holds at most: vital signs are charted every hour, and one that is older than
/// four says little about the patient.
const HOLDS: i64 = 4 * 3600;

/// The sum over time, in hours, and the hours that it is of; none where nothing holds for any time.
pub(in crate::ingest) fn over_time(
    series: &[(i64, f64)],
    lasting: &[Lasting],
    (start, end): (i64, i64),
) -> Option<(f64, f64)> {
    let held = series.iter().enumerate().map(|(i, &(time, x))| {
        let next = series.get(i + 1).map_or(end, |next| next.0);
        (time, next.min(time + HOLDS), x)
    });
    let mut seconds = 0;
    let mut sum = 0.0;
    for (from, to, x) in held.chain(lasting.iter().copied()) {
        let held = (to.min(end) - from.max(start)).max(0);
        seconds += held;
        sum += x * held as f64 / 3600.0;
    }
    (seconds > 0).then(|| (sum, seconds as f64 / 3600.0))
}
