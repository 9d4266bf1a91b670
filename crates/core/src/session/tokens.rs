//! Resume tokens, which distinguish the registrations of one client id.
//!
//! A call id is shown to everybody who registers the callee's id while the call rings, so it proves
//! little once the call is answered. From then on a call of dialect 2 belongs to the registration
//! that answered it, or was sent the answer: a later registration shows a token of that one, or the
//! call is not one of its calls.

/// The token that a registration was given, and the one that it has shown.
#[derive(Clone)]
pub(super) struct ResumeTokens {
    given: Box<str>,
    /// A token that resumed nothing, of an earlier registration: its REGISTERED may have been lost.
    shown: Option<Box<str>>,
}

impl ResumeTokens {
    pub(super) fn new(given: Box<str>, shown: Option<&str>) -> Self {
        // A text of another length is no token of ours, and is not worth its memory.
        let shown = shown.filter(|shown| shown.len() == given.len()).map(Into::into);
        Self { given, shown }
    }

    pub(super) fn given(&self) -> &str {
        &self.given
    }

    /// Returns true if `token` is the one that was given.
    pub(super) fn is_given(&self, token: &str) -> bool {
        same(token, &self.given)
    }

    /// Returns true if both registrations have a token in common.
    pub(super) fn have_one_of(&self, other: &Self) -> bool {
        let is_ours = |token: &str| {
            let shown = self.shown.as_deref();
            same(token, &self.given) | shown.is_some_and(|shown| same(token, shown))
        };
        is_ours(&other.given) | other.shown.as_deref().is_some_and(is_ours)
    }
}

/// Compares in a time that does not depend on how much is right.
fn same(left: &str, right: &str) -> bool {
    let difference = left.bytes().zip(right.bytes()).fold(0, |sum, (l, r)| sum | (l ^ r));
    left.len() == right.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(given: &str, shown: Option<&str>) -> ResumeTokens {
        ResumeTokens::new(given.into(), shown)
    }

    #[test]
    fn a_registration_is_known_by_the_token_it_was_given_or_has_shown() {
        let owner = tokens("bb", Some("aa"));
        for (given, shown, admitted) in [
            ("bb", None, true),
            ("cc", Some("bb"), true),
            ("cc", Some("aa"), true),
            ("cc", Some("dd"), false),
            ("cc", None, false),
        ] {
            assert_eq!(owner.have_one_of(&tokens(given, shown)), admitted, "{given} {shown:?}");
        }
    }

    #[test]
    fn a_text_of_another_length_is_not_kept() {
        assert!(tokens("bb", Some("b")).shown.is_none());
        assert!(!tokens("bb", None).is_given("b") && !tokens("bb", None).is_given("bbb"));
    }

    #[test]
    fn a_token_is_right_in_full_only() {
        assert!(tokens("bb", None).is_given("bb"));
        assert!(!tokens("bb", None).is_given("bc") && !tokens("bb", None).is_given("cb"));
    }
}
