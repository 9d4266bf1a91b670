//! Ownership of answered calls: a call belongs to the registration that answered it or was sent the
//! answer, and to every later one that shows a token of that one.

use super::Model;
use super::call::{Call, Side};
use crate::network::LinkId;

/// The tokens of a registration of dialect 2: the one that it was given, and the one that it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    given: Option<String>,
    shown: String,
}

impl Tokens {
    fn meet(&self, other: &Self) -> bool {
        let shows = |shown: &str, given: &Option<String>| given.as_deref() == Some(shown);
        let same_given = self.given == other.given;
        let both_show = !self.shown.is_empty() && self.shown == other.shown;
        same_given
            || both_show
            || shows(&self.shown, &other.given)
            || shows(&other.shown, &self.given)
    }
}

/// The right of a registration to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Yes,
    /// The call is from before a restart, and more than one has presented it.
    Perhaps,
    No,
}

impl Model {
    /// The tokens of the registration on this connection. `None` in dialect 1.
    pub(super) fn tokens(&self, link: LinkId, client: &str) -> Option<Tokens> {
        let stream = self.streams.get(client)?;
        let (given, shown) = (stream.token.clone(), stream.shown.clone());
        self.speaks_two(link).then_some(Tokens { given, shown })
    }

    /// Gives a new registration the calls whose token it showed.
    pub(super) fn inherit_calls(&mut self, link: LinkId, client: &str) {
        let Some(tokens) = self.tokens(link, client) else { return };
        for call in self.calls.values_mut() {
            let Some(side) = call.side_of(client) else { continue };
            let owner = &mut call.end(side).owner;
            if owner.as_ref().is_some_and(|owner| owner.meet(&tokens)) {
                *owner = Some(tokens.clone());
            }
        }
    }
}

impl Call {
    pub(super) fn admits(&self, side: Side, tokens: Option<&Tokens>) -> Admission {
        let end = &self.ends[side as usize];
        let Some(owner) = &end.owner else { return Admission::Yes };
        match tokens.is_some_and(|tokens| tokens.meet(owner)) {
            true if !end.contested => Admission::Yes,
            false if !self.recovered => Admission::No,
            _ => Admission::Perhaps,
        }
    }

    /// Binds an answered call to the registration with these tokens.
    pub(super) fn bind(&mut self, side: Side, tokens: Option<Tokens>) {
        let end = self.end(side);
        let other = end.owner.as_ref().zip(tokens.as_ref());
        end.contested |= other.is_some_and(|(owner, tokens)| !owner.meet(tokens));
        if tokens.is_some() {
            end.owner = tokens;
        }
    }
}
