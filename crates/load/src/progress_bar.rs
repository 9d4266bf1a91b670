//! The progress of a run, on a terminal.

use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};

use crate::run::{Progress, Stage};

/// So many steps make a whole bar.
const STEPS: u64 = 1000;

/// A bar on standard error, which is not drawn where that is no terminal.
#[derive(Debug)]
pub struct ProgressBar(Bar);

impl ProgressBar {
    /// An empty bar.
    pub fn start() -> Self {
        let bar = Bar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
        // The template is a constant; without it there is a plainer bar.
        if let Ok(style) = ProgressStyle::with_template("{prefix:<11} {bar:30} {elapsed:>4}  {msg}")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self(bar)
    }

    /// Draws how far it is.
    pub fn show(&self, progress: Progress) {
        self.0.set_prefix(match progress.stage {
            Stage::SettingUp => "connecting",
            Stage::WarmingUp => "warming up",
            Stage::Measuring => "measuring",
            Stage::Finishing => "finishing",
        });
        let failures = match progress.failures {
            0 => String::new(),
            failures => format!(" · {failures} failures"),
        };
        let rate = match progress.received_per_second {
            0.0 => String::new(),
            rate => format!(" · {rate:.0} messages/s"),
        };
        self.0.set_message(format!("{} clients{rate}{failures}", progress.ready));
        self.0.set_position((progress.part.clamp(0.0, 1.0) * STEPS as f64) as u64);
    }
}

/// Leaves no trace of it.
impl Drop for ProgressBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
