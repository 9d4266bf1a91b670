//! The report of a probe, step by step.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::terminal::sanitize::sanitized;

/// The steps of a probe with their results.
pub(crate) struct Report {
    timeout_of_step: Duration,
    steps: Vec<Step>,
}

struct Step {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    /// The step succeeded in this time.
    Succeeded(Duration),
    Failed(String),
    Skipped(&'static str),
}

impl Report {
    /// Creates an empty report. A step that takes longer than `timeout` fails.
    pub(crate) fn new(timeout_of_step: Duration) -> Self {
        Self { timeout_of_step, steps: Vec::new() }
    }

    /// Runs a step and records its result. Returns `None` if it failed.
    pub(crate) async fn step<T>(
        &mut self,
        name: impl Into<String>,
        step: impl Future<Output = Result<T, String>>,
    ) -> Option<T> {
        let began = Instant::now();
        let timeout_of_step = humantime::format_duration(self.timeout_of_step);
        let late = || Err(format!("no result within {timeout_of_step}"));
        let result = timeout(self.timeout_of_step, step).await.unwrap_or_else(|_| late());
        let (outcome, value) = match result {
            Ok(value) => (Outcome::Succeeded(began.elapsed()), Some(value)),
            Err(reason) => (Outcome::Failed(reason), None),
        };
        self.steps.push(Step { name: name.into(), outcome });
        value
    }

    pub(crate) fn skip(&mut self, name: &str, reason: &'static str) {
        self.steps.push(Step { name: name.to_owned(), outcome: Outcome::Skipped(reason) });
    }

    /// Returns the number of failed steps.
    pub(crate) fn failed(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_))).count()
    }

    pub(crate) fn as_text(&self) -> String {
        let mut text = String::new();
        for Step { name, outcome } in &self.steps {
            let (word, what) = match outcome {
                Outcome::Succeeded(took) => ("ok", format!("{:.1} ms", millis(*took))),
                Outcome::Failed(reason) => ("FAILED", sanitized(reason)),
                Outcome::Skipped(reason) => ("skipped", (*reason).to_owned()),
            };
            text.push_str(&format!("{word:<8} {:<26} {what}\n", sanitized(name)));
        }
        text.push_str(&format!("\n{}\n", self.verdict()));
        text
    }

    /// Returns the last line: the numbers of steps that ran, failed and were skipped.
    fn verdict(&self) -> String {
        let skipped = self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Skipped(_)));
        let skipped = skipped.count();
        let steps = self.steps.len() - skipped;
        let left_out = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        match self.failed() {
            0 => format!("all {steps} steps succeeded{left_out}"),
            failed => format!("{failed} of {steps} steps failed{left_out}"),
        }
    }

    pub(crate) fn as_json(&self) -> String {
        let steps: Vec<_> = self.steps.iter().map(Step::as_json).collect();
        format!("{}\n", json!({"ok": self.failed() == 0, "steps": steps}))
    }
}

impl Step {
    fn as_json(&self) -> serde_json::Value {
        let name = &self.name;
        match &self.outcome {
            Outcome::Succeeded(took) => {
                json!({"step": name, "outcome": "ok", "milliseconds": millis(*took)})
            }
            Outcome::Failed(reason) => json!({"step": name, "outcome": "failed", "why": reason}),
            Outcome::Skipped(reason) => json!({"step": name, "outcome": "skipped", "why": reason}),
        }
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}
