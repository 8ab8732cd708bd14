//! Five times as much as the service can do: what it can do is measured first, in the same run.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::outcome::{Figure, Load, count};
use crate::pressure::{Answers, Pressure};
use crate::progress;
use crate::shop::Shop;

/// How much more is offered.
const TIMES: f64 = 5.0;
/// From here on it counts as that.
const TIMES_MIN: f64 = 4.0;
/// What must be left of the peak.
const GOODPUT_PERCENT_MIN: f64 = 80.0;
/// Beyond this the peak was none.
const GOODPUT_PERCENT_MAX: f64 = 130.0;
/// Parts of the measurement of the peak.
const PEAK_PARTS: u32 = 3;
/// Streams that fill the service's batches without filling its queue, and those that overflow it.
const STREAMS_PEAK: usize = 16;
const STREAMS_OVERLOAD: usize = 400;
/// What is left out at the start of each measurement. Too much takes longer to come to bear: first the queue fills, and a
/// stream's refusals are read only after the accepted lines before them.
const WARM_UP: Duration = Duration::from_secs(1);
const WARM_UP_OVERLOAD: Duration = Duration::from_secs(3);
/// The service lets nobody wait longer than five seconds for an answer; one more for the way.
const ACCEPTED_P99_MS_MAX: f64 = 6_000.0;

/// The pressure, and what the service could do without too much of it.
#[derive(Debug)]
pub(crate) struct Overload {
    pressure: Pressure,
    peak: f64,
    /// How long the peak was measured, and how long too much is offered.
    prepared: Duration,
    seconds: u64,
}

impl Overload {
    /// Measures the peak.
    pub(crate) async fn prepare(shop: &Shop, products: &[i64], seconds: u64) -> Result<Self> {
        let pressure = Pressure::new(shop, products)?;
        let part = Duration::from_secs(seconds.div_ceil(PEAK_PARTS.into()).max(1));
        let length = WARM_UP + part * PEAK_PARTS;
        let started = Instant::now();
        let measure = async {
            let mut peaks = Vec::new();
            for number in 0..PEAK_PARTS {
                let from = started + WARM_UP + part * number;
                peaks.push(rates(&pressure, from, from + part).await.goodput);
            }
            peaks
        };
        let (sent, peaks) = tokio::join!(pressure.run(STREAMS_PEAK, None, started + length), measure);
        sent?;
        let peak = median(peaks);
        progress::say(&format!("overload: the peak is {peak:.0} reserves/s"));
        Ok(Self { pressure, peak, prepared: length, seconds })
    }

    /// Offers too much while `load` runs beside it, and judges both.
    pub(crate) async fn run(&self, load: impl Future<Output = Result<()>>) -> Result<Vec<Figure>> {
        let started = Instant::now();
        let until = started + Duration::from_secs(self.seconds) + WARM_UP_OVERLOAD;
        let (sent, measured, loaded) = tokio::join!(
            self.pressure.run(STREAMS_OVERLOAD, Some(TIMES * self.peak), until),
            rates(&self.pressure, started + WARM_UP_OVERLOAD, until),
            load
        );
        sent?;
        loaded?;
        let was_refused = self.pressure.answers().shed.values().sum::<u64>() > 0;
        Ok(vec![goodput(self.peak, &measured, was_refused)])
    }

    /// Adds its own requests to what the buyers beside it measured, and judges the answers of both.
    pub(crate) fn add_to(&self, load: &mut Load) -> Vec<Figure> {
        let answered_later = load.shed;
        let figures = vec![
            Figure::rule(
                load.p99_ms <= ACCEPTED_P99_MS_MAX,
                format!(
                    "p99 of accepted single requests is {:.0} ms, at most {ACCEPTED_P99_MS_MAX:.0} ms may be",
                    load.p99_ms
                ),
            ),
            Figure::note(format!(
                "{answered_later} single requests were refused for now, each with Retry-After"
            )),
        ];
        let Answers { accepted, shed, unknown, faults } = self.pressure.answers();
        load.requests += self.pressure.answers().all();
        load.elapsed += self.prepared;
        load.told.reserved += accepted;
        load.told.unknown += unknown;
        for (code, times) in shed {
            load.shed += times;
            *load.refusals.entry(code).or_default() += times;
        }
        for (what, times) in faults {
            *load.faults.entry(what).or_default() += times;
        }
        figures
    }

    /// Requests so far, and accepted ones.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        let answers = self.pressure.answers();
        (answers.all(), answers.accepted)
    }
}

/// The middle one: a stall of the machine falls into one part and is forgotten.
fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// What was left of the peak. A rule only if the service was overloaded indeed: so much was offered, some of it was refused, and the
/// peak was no slip.
fn goodput(peak: f64, measured: &Rates, was_refused: bool) -> Figure {
    let (offered, kept) = (measured.answered / peak, 100.0 * measured.goodput / peak);
    let what = format!(
        "goodput at {offered:.1} × the peak of {peak:.0}/s was {kept:.0} % of it, at least {GOODPUT_PERCENT_MIN:.0} % must be left"
    );
    if kept > GOODPUT_PERCENT_MAX {
        Figure::aim(false, format!("{what}; so the peak was taken too low: NOT shown"))
    } else if was_refused && kept < GOODPUT_PERCENT_MIN {
        // Also where less than five times as much was offered: that must be easier.
        Figure::rule(false, what)
    } else if offered < TIMES_MIN || !was_refused {
        Figure::aim(false, format!("{what}; that was no {TIMES:.0} ×, or nothing was refused: NOT shown"))
    } else {
        Figure::rule(true, what)
    }
}

struct Rates {
    answered: f64,
    goodput: f64,
}

async fn rates(pressure: &Pressure, from: Instant, to: Instant) -> Rates {
    tokio::time::sleep_until(from.into()).await;
    let (before, from) = (pressure.answers(), Instant::now());
    tokio::time::sleep_until(to.into()).await;
    let (after, seconds) = (pressure.answers(), from.elapsed().as_secs_f64());
    Rates {
        answered: count(after.all() - before.all()) / seconds,
        goodput: count(after.accepted - before.accepted) / seconds,
    }
}

/// Growth that is no leak: a fourth more, a base for buffers of so many connections, and what an open hold costs.
const GROWTH_PERCENT: u64 = 25;
const GROWTH_BASE_BYTES: u64 = 48 << 20;
const HOLD_BYTES: u64 = 160;

/// Whether memory stayed flat, by samples over a run in which so many holds were made.
pub(crate) fn memory(samples: &[u64], holds: u64) -> Option<Figure> {
    let warm = samples.get(samples.len() / 4..)?;
    let (first, most) = (*warm.first()?, *warm.iter().max()?);
    let allowed = first + first * GROWTH_PERCENT / 100 + GROWTH_BASE_BYTES + holds * HOLD_BYTES;
    let mebibytes = |bytes: u64| bytes >> 20;
    Some(Figure::rule(
        most <= allowed,
        format!(
            "memory went from {} to at most {} MiB, {} MiB may be",
            mebibytes(first),
            mebibytes(most),
            mebibytes(allowed)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::{Rates, goodput, median, memory};
    use crate::outcome::Kind;

    const MIB: u64 = 1 << 20;

    #[test]
    fn goodput_is_judged_only_where_there_was_overload() {
        let figure = |answered, goodput_rate, was_refused| {
            let figure = goodput(1_000.0, &Rates { answered, goodput: goodput_rate }, was_refused);
            (figure.kind, figure.is_met)
        };
        assert_eq!(figure(5_000.0, 810.0, true), (Kind::Rule, true));
        assert_eq!(figure(5_000.0, 790.0, true), (Kind::Rule, false));
        assert_eq!(figure(2_000.0, 790.0, true), (Kind::Rule, false));
        for not_shown in
            [figure(3_900.0, 900.0, true), figure(5_000.0, 900.0, false), figure(5_000.0, 1_400.0, true)]
        {
            assert_eq!(not_shown, (Kind::Aim, false));
        }
        assert!((median(vec![9.0, 2.0, 8.0]) - 8.0).abs() < f64::EPSILON);
    }

    #[test]
    fn memory_that_keeps_growing_is_seen_and_open_holds_are_allowed_for() {
        let leak: Vec<u64> = (0..100).map(|step| (100 + 3 * step) * MIB).collect();
        assert!(!memory(&leak, 0).unwrap().is_met);
        assert!(memory(&leak, 2_000_000).unwrap().is_met);
        assert!(memory(&[90 * MIB; 8], 0).unwrap().is_met);
        assert!(memory(&[], 0).is_none());
    }
}
