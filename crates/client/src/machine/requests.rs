//! Requests to the server, and what each answer to one is for.

use std::time::Duration;

use securecall_protocol::client::{Incoming, Outgoing};
use securecall_protocol::{ClientId, ErrorCode};
use securecall_seal::DirectoryKey;

use super::ending::End;
use super::sender::{MessageId, Purpose, Refused, Request};
use super::{Context, Machine, Output};
use crate::{Error, TurnCredentials};

impl Machine {
    /// Asks something of the server.
    pub(super) fn request(&mut self, cx: &Context<'_>, message: Outgoing, purpose: Purpose) {
        if let Err(purpose) = self.sender.request(message, purpose, cx.now) {
            self.request_failed(cx, purpose, Error::TooMuchWaits);
        }
    }

    /// Asks the directory to hold this client's key, before anything else: whom we call looks it
    /// up. Nobody waits for the answer alone, so it is asked for as long as it takes.
    pub(super) fn publish_key(&mut self) {
        let Some(key) = self.keyring.published() else { return self.key_published(Ok(())) };
        let (client_id, public_key) = (self.client_id.clone(), key.as_str().to_owned());
        self.sender.request_publication(Outgoing::PkdRegister { client_id, public_key });
    }

    /// Somebody has called with an old key of ours.
    pub(super) fn publish_key_again(&mut self, cx: &Context<'_>) {
        if self.publication.may_republish(cx.now) {
            self.publish_key();
        }
    }

    fn key_published(&mut self, result: Result<(), Error>) {
        let refusal = self.publication.completed(result);
        self.outputs.extend(refusal.map(Output::Event));
    }

    pub(super) fn key_found(
        &mut self,
        cx: &mut Context<'_>,
        id: Option<MessageId>,
        whose: &ClientId,
        key: Option<&str>,
    ) {
        let fits = |message: &Outgoing| match message {
            Outgoing::PkdLookup { client_id } | Outgoing::PkdRegister { client_id, .. } => {
                // A named answer counts for whom was asked about, whatever name it bears itself.
                id.is_some() || client_id == whose
            }
            _ => false,
        };
        let Some(request) = self.sender.take_request(id, fits) else { return };
        let asked = match &request.message {
            Outgoing::PkdLookup { client_id } => client_id.clone(),
            _ => whose.clone(),
        };
        let key = key.map(|text| DirectoryKey::parse(text, asked.as_str())).transpose();
        let key = key.map_err(Error::Seal);
        match request.purpose {
            Purpose::PublishKey => self.key_published(Ok(())),
            Purpose::CalleeKey(call) => self.callee_key(cx, call, key),
            Purpose::CallerKey(call) => self.caller_key(cx, call, key),
            Purpose::Lookup(reply) => {
                let looked_up = key.map(|key| self.keyring.looked_up(key));
                let _ = reply.send(looked_up);
            }
            Purpose::TurnCredentials(_) => {}
        }
    }

    pub(super) fn turn_credentials(&mut self, id: Option<MessageId>, credentials: TurnCredentials) {
        let fits = |message: &Outgoing| matches!(message, Outgoing::TurnCredentials {});
        if let Some(Request { purpose: Purpose::TurnCredentials(reply), .. }) =
            self.sender.take_request(id, fits)
        {
            let _ = reply.send(Ok(credentials));
        }
    }

    /// An ERROR answers a request. Returns `false` if it answers something else.
    pub(super) fn request_refused(
        &mut self,
        cx: &Context<'_>,
        id: Option<MessageId>,
        error: &Incoming,
    ) -> bool {
        let Incoming::Error { code, message, retry_after_ms } = error else { return false };
        let for_now = matches!(code, Some(ErrorCode::RateLimited | ErrorCode::Unavailable));
        let wait = retry_after_ms.map(Duration::from_millis);
        match self.sender.refuse_request(id, for_now, wait, cx.now) {
            None => return false,
            Some(Refused::ForNow { publishes }) => {
                if publishes && *code == Some(ErrorCode::Unavailable) {
                    let delay = self.publication.delayed();
                    self.outputs.extend(delay.map(Output::Event));
                }
            }
            Some(Refused::ForGood(purpose)) => {
                let code = code.unwrap_or(ErrorCode::InvalidMessage);
                let error = Error::Refused { code, message: message.clone() };
                self.request_failed(cx, purpose, error);
            }
        }
        true
    }

    pub(super) fn expire_requests(&mut self, cx: &Context<'_>) {
        for purpose in self.sender.expire_requests(cx.now) {
            self.request_failed(cx, purpose, Error::TimedOut);
        }
    }

    fn request_failed(&mut self, cx: &Context<'_>, purpose: Purpose, error: Error) {
        match purpose {
            Purpose::PublishKey => self.key_published(Err(error)),
            Purpose::CalleeKey(call) => drop(self.end_call(cx, call, End::NotBegun(error))),
            Purpose::CallerKey(call) => drop(self.end_call(cx, call, End::OfferRefused(error))),
            purpose => purpose.fail(error),
        }
    }
}
