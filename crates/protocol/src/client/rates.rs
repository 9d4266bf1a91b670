//! The rates that a server announces, as far as they are usable.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{MessageClass, MessageRates, Rate};

/// The bounds of what counts, which are those of the server's settings: beyond them a rate limits
/// nothing, or lets nothing pass.
const BURST_MAX: u64 = 1_000_000;
const INTERVAL_MAX: Duration = Duration::from_secs(1000);

/// The field `rates` of REGISTERED: a rate by the name of its class.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct AnnouncedRates<'a>(#[serde(borrow)] BTreeMap<Cow<'a, str>, &'a RawValue>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnnouncedRate {
    burst: u64,
    interval_ms: u64,
}

impl AnnouncedRates<'_> {
    /// The rates, with the default where none is usable.
    pub(super) fn usable(&self) -> MessageRates {
        MessageRates::from_fn(|class| self.of(class).unwrap_or_else(|| Rate::default_of(class)))
    }

    fn of(&self, class: MessageClass) -> Option<Rate> {
        let announced: AnnouncedRate =
            serde_json::from_str(self.0.get(class.as_str())?.get()).ok()?;
        let burst =
            u32::try_from(announced.burst.min(BURST_MAX)).ok().filter(|burst| *burst > 0)?;
        let interval = Duration::from_millis(announced.interval_ms).min(INTERVAL_MAX);
        (!interval.is_zero()).then(|| Rate::every(interval, burst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable(text: &str) -> MessageRates {
        serde_json::from_str::<AnnouncedRates<'_>>(text).unwrap_or_default().usable()
    }

    fn calls(rate: &str) -> Rate {
        usable(&format!(r#"{{"calls":{rate},"more":7}}"#)).of(MessageClass::Calls)
    }

    #[test]
    fn an_announced_rate_counts_and_the_others_stay_what_they_are() {
        let rates = usable(r#"{"calls":{"burst":3,"intervalMs":250,"more":[]},"unknown":null}"#);
        for class in MessageClass::ALL {
            let expected = match class {
                MessageClass::Calls => Rate::every(Duration::from_millis(250), 3),
                other => Rate::default_of(other),
            };
            assert_eq!(rates.of(class), expected, "{class:?}");
        }
    }

    #[test]
    fn a_rate_that_is_none_is_the_default() {
        let not_rates = [
            r#"{"burst":0,"intervalMs":1000}"#,
            r#"{"burst":20,"intervalMs":0}"#,
            r#"{"burst":-1,"intervalMs":1000}"#,
            r#"{"burst":20,"intervalMs":-1000}"#,
            r#"{"burst":1e308,"intervalMs":1000}"#,
            r#"{"burst":20,"intervalMs":1e308}"#,
            r#"{"burst":20,"intervalMs":1e999}"#,
            r#"{"burst":20.5,"intervalMs":1000}"#,
            r#"{"burst":"20","intervalMs":1000}"#,
            r#"{"burst":20}"#,
            r#"{"intervalMs":1000}"#,
            "null",
            "20",
            "[20,1000]",
        ];
        for rate in not_rates {
            assert_eq!(calls(rate), Rate::default_of(MessageClass::Calls), "{rate}");
        }
        for rates in ["null", "7", "[]", r#""calls""#, "{}"] {
            assert_eq!(usable(rates), MessageRates::default(), "{rates}");
        }
    }

    #[test]
    fn a_rate_beyond_what_can_be_set_counts_as_the_bound() {
        let huge = u64::MAX;
        assert_eq!(
            calls(&format!(r#"{{"burst":{huge},"intervalMs":{huge}}}"#)),
            Rate::every(Duration::from_secs(1000), 1_000_000)
        );
    }
}
