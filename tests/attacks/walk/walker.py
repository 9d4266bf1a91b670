"""One client of the walk: what it says, and a check of each thing that it is told against what it may be told."""

import itertools

from websockets.exceptions import ConnectionClosed

from driver import client, dialect2
from walk.call import Broken, Call, State, View

RACING = {"CALL_NOT_FOUND", "INVALID_STATE"}


class Walker:
    def __init__(self, world, client_id: str, dialect: int):
        self.world, self.client_id, self.dialect = world, client_id, dialect
        self.memory = dialect2.Memory()
        self.connection: client.Client | None = None
        self.requests = itertools.count(1)
        self.allowed: dict[str, tuple[Call | None, set[str]]] = {}
        """By the id of a request: the errors that may answer it."""
        self.required: set[str] = set()
        """Requests that must be answered with one of them."""
        self.rings: Call | None = None
        """In dialect 1: the call that was begun and whose id it does not know."""

    @property
    def is_online(self) -> bool:
        return self.connection is not None

    def live_calls(self) -> list[Call]:
        return [call for call in self.world.calls if call.lives_at(self.client_id)]

    # Connections

    def connect(self) -> None:
        """Registers, and does what docs/protocol.md wants done after a lost connection."""
        memory = {"memory": self.memory} if self.dialect == 2 else {}
        kind = dialect2.Client if self.dialect == 2 else client.Client
        old, self.connection = self.connection, None
        self.required = set()
        self.connection = kind(self.world.server.url, self.client_id, **memory)
        self.world.note(self, "registers" + (", resumed" if getattr(self.connection, "resumed", False) else ""))
        if old:
            self.world.disturb(self)
            old.expect_close(4001)
        self._take_up()

    def lose_connection(self) -> None:
        self.world.note(self, "loses its connection")
        self.world.disturb(self)
        self.connection.lose_connection()
        self.connection = None

    def close(self) -> None:
        """With 1000: what it is ringing is cancelled."""
        self.world.note(self, "closes with 1000")
        self.world.disturb(self)
        for call in self.live_calls():
            view = call.views[self.client_id]
            if call.caller == self.client_id and view.state is State.RINGING:
                self._forget(call)
        self.connection.close()
        self.connection = None

    def _take_up(self) -> None:
        for call in self.world.calls:
            view = call.views.get(self.client_id)
            if view is None or not view.knows_id or not call.disturbed:
                continue
            if view.ended_it and not view.settled_end:
                self._send("CALL_END", call, RACING, callId=call.id)
            elif view.state is State.ACTIVE:
                if call.callee == self.client_id:
                    self._send("CALL_ACCEPT", call, RACING, callId=call.id, sdpAnswer=call.answer)
                self.send_candidate(call)

    # What it says

    def call(self, callee: "Walker") -> None:
        call = self.world.new_call(self, callee)
        call.views[self.client_id] = View()
        if self.dialect == 1:
            self.rings = call
        self._send("CALL_INITIATE", call, set(), targetId=callee.client_id, sdpOffer=call.offer)

    def accept(self, call: Call) -> None:
        call.accepted = True
        call.views[self.client_id].state = State.ACTIVE
        self._send("CALL_ACCEPT", call, RACING, callId=call.id, sdpAnswer=call.answer)

    def reject(self, call: Call) -> None:
        self._forget(call)
        self._send("CALL_REJECT", call, RACING, callId=call.id)

    def end(self, call: Call) -> None:
        self._forget(call)
        self._send("CALL_END", call, RACING, callId=call.id)

    def give_up(self, call: Call) -> None:
        """The ring timer of a caller of dialect 1."""
        self._forget(call)

    def ring(self, call: Call) -> None:
        self._send("CALL_RINGING", call, RACING, callId=call.id)

    def send_candidate(self, call: Call) -> None:
        view = call.views[self.client_id]
        view.candidates_sent += 1
        self._send("ICE_CANDIDATE", call, RACING, callId=call.id, candidate=f"{self.client_id} {view.candidates_sent}")

    def signal(self, call: Call) -> None:
        self._send("CALL_SIGNAL", call, RACING, callId=call.id, data=f"of call {call.number}")

    def acknowledge(self) -> None:
        self.connection.acknowledge()

    def meddle(self, kind: str, call: Call, fields: dict) -> None:
        """About a call that is over, or not its own: refused, and nobody is told anything."""
        self._send(kind, None, {"CALL_NOT_FOUND"}, required=True, callId=call.id, **fields)
        # A client that keeps to the protocol would have accepted its own call.
        self.memory.calls.pop(call.id, None)

    def revive(self, kind: str, call: Call, fields: dict) -> None:
        """About a call that was over before the server died, which it cannot know; the other end must not be misled."""
        call.accepted |= kind == "CALL_ACCEPT"
        self._send(kind, call, RACING, callId=call.id, **fields)
        self._send("CALL_END", call, RACING, callId=call.id)

    def _send(self, kind: str, call: Call | None, errors: set[str], required: bool = False, **payload) -> None:
        request = str(next(self.requests))
        self.allowed[request] = (call, errors)
        if required:
            self.required.add(request)
        self.world.note(self, f"> {kind}" + (f" of call {call.number}" if call else ""))
        self.connection.send(kind, request_id=request, **payload)

    def _forget(self, call: Call) -> None:
        view = call.views[self.client_id]
        view.state, view.ended_it = State.OVER, True
        if self.rings is call:
            self.rings = None

    # What it hears

    def ask(self) -> str:
        """A heartbeat: once it is answered, all that was sent before has been acted upon."""
        name = f"heard {next(self.requests)}"
        self.connection.send("HEARTBEAT", request_id=name)
        return name

    def hear_until(self, name: str) -> None:
        while True:
            try:
                message = self.connection.receive()
            except ConnectionClosed as closed:
                raise Broken(f"{self.client_id}: the server closed the connection: {closed}") from None
            if message.get("replyTo") == name:
                break
            if message["type"] != "HEARTBEAT_ACK":
                self._hear(message)
        if self.required:
            raise Broken(f"{self.client_id}: not refused: {self.required}")
        for call in self.world.calls:
            if view := call.views.get(self.client_id):
                view.settled_end = view.ended_it
        if self.dialect == 2:
            self._drop_lost_calls()

    def _drop_lost_calls(self) -> None:
        """CALL_INITIATED did not come before the answer to the next request: the CALL_INITIATE was lost."""
        for call in self.live_calls():
            if call.caller == self.client_id and not call.initiated:
                if not call.disturbed:
                    raise Broken(f"{self.client_id} has not heard CALL_INITIATED of {call}")
                call.views[self.client_id].state = State.OVER

    def _hear(self, message: dict) -> None:
        payload = message["payload"]
        call = self._named(message["type"], payload)
        self.world.note(self, f"< {message['type']} {payload.get('code') or payload.get('reason') or ''}"
                              + (f" of call {call.number}" if call else ""))
        if message["type"] == "ERROR":
            return self._hear_error(payload, message.get("replyTo"))
        if call is None:
            return
        view = call.views.setdefault(self.client_id, View())
        if message["type"] in ("CALL_ACCEPTED", "CALL_REJECTED", "CALL_ENDED"):
            self._expect_no_confusion(call, view, message["type"])
        view.knows_id = True
        if view.settled_end and not call.disturbed:
            raise Broken(f"{self.client_id} has ended {call}, and hears {message['type']} of it")
        getattr(self, f"_hear_{message['type'].lower()}")(call, view, payload)

    def _named(self, kind: str, payload: dict) -> Call | None:
        """The call that a message is about; `None` for the end of one whose ring was lost. A caller of dialect 1 learns the id of the call that it rings."""
        if "callId" not in payload:
            return None
        call_id = payload["callId"]
        by_id = next((call for call in self.world.calls if call.id == call_id), None)
        if kind == "INCOMING_CALL":
            by_offer = next((call for call in self.world.calls if call.offer == payload["sdpOffer"]), None)
            if by_offer is None or by_id not in (None, by_offer):
                raise Broken(f"{self.client_id} is rung with an offer that nobody made for it")
            by_offer.id = call_id
            return by_offer
        if kind == "CALL_INITIATED" and by_id is None:
            by_id = next(call for call in self.world.calls if call.id is None and call.caller == self.client_id
                         and call.callee == payload["targetId"] and call.lives_at(self.client_id))
            by_id.id = call_id
        if by_id is None and self.rings and self.rings.id is None:
            by_id = self.rings
            by_id.id = call_id
        if by_id is None and kind == "CALL_ENDED" and self._missed_a_ring():
            return None
        if by_id is None or self.client_id not in (by_id.caller, by_id.callee):
            raise Broken(f"{self.client_id} hears {kind} of a call that is not its own: {by_id}")
        return by_id

    def _missed_a_ring(self) -> bool:
        """Whether a ring was lost with a connection, of which the end may come."""
        return any(call.id is None and call.disturbed and call.callee == self.client_id for call in self.world.calls)

    def _hear_error(self, payload: dict, request: str | None) -> None:
        self.required.discard(request)
        call, errors = self.allowed.get(request, (None, set()))
        is_lost = call is not None and call.disturbed and payload["code"] == "TARGET_NOT_FOUND"
        if payload["code"] not in errors and not is_lost:
            raise Broken(f"{self.client_id}: {payload['code']} to request {request}, which is about {call}")
        if call and self.dialect == 1 and payload["code"] in ("CALL_NOT_FOUND", "TARGET_NOT_FOUND"):
            call.views[self.client_id].state = State.OVER
            if self.rings is call:
                self.rings = None

    def _hear_incoming_call(self, call: Call, view: View, payload: dict) -> None:
        if (self.client_id, payload["callerId"]) != (call.callee, call.caller):
            raise Broken(f"{call} rings at {self.client_id}, from {payload['callerId']}")
        if view.ended_it:
            # It was ended on a connection that broke: once more (docs: "end it again").
            self._send("CALL_END", call, RACING, callId=call.id)
        elif view.state is State.OVER:
            raise Broken(f"{call} rings again at {self.client_id}")

    def _hear_call_initiated(self, call: Call, view: View, payload: dict) -> None:
        if (self.client_id, payload["targetId"]) != (call.caller, call.callee):
            raise Broken(f"{self.client_id} hears CALL_INITIATED of {call}")
        call.initiated = True

    def _hear_call_ringing(self, call: Call, view: View, payload: dict) -> None:
        self._expect_live(call, view, "CALL_RINGING")

    def _hear_call_signal(self, call: Call, view: View, payload: dict) -> None:
        self._expect_live(call, view, "CALL_SIGNAL")
        if payload["data"] != f"of call {call.number}":
            raise Broken(f"{self.client_id}: another call's signal in {call}")

    def _hear_call_accepted(self, call: Call, view: View, payload: dict) -> None:
        if not call.accepted or payload["sdpAnswer"] != call.answer:
            raise Broken(f"{self.client_id} hears a wrong answer to {call}: {payload['sdpAnswer']}")
        if view.state is State.RINGING:
            view.state = State.ACTIVE
        elif not (call.disturbed or view.ended_it):
            raise Broken(f"{call} is answered at {self.client_id} a second time")
        elif view.state is State.OVER:
            # Of a call that it is not in any more: it says so.
            view.ended_it = True
            self._send("CALL_END", call, RACING, callId=call.id)
        if self.rings is call:
            self.rings = None

    def _hear_call_rejected(self, call: Call, view: View, payload: dict) -> None:
        self._hear_end(call, view, payload.get("reason"))

    def _hear_call_ended(self, call: Call, view: View, payload: dict) -> None:
        self._hear_end(call, view, payload.get("reason"))

    def _hear_ice_candidate(self, call: Call, view: View, payload: dict) -> None:
        self._expect_live(call, view, "ICE_CANDIDATE")
        if self.dialect == 1 and view.state is State.RINGING and call.caller == self.client_id:
            raise Broken(f"{self.client_id} hears a candidate of {call} before its answer")
        sender, number = payload["candidate"].split()
        if sender != call.peer_of(self.client_id) or int(number) <= view.candidates_heard:
            raise Broken(f"{self.client_id} hears candidate {number} of {sender} after {view.candidates_heard} in {call}")
        if not call.disturbed and int(number) != view.candidates_heard + 1:
            raise Broken(f"{self.client_id} hears candidate {number} after {view.candidates_heard} in {call}")
        view.candidates_heard = int(number)

    def _hear_end(self, call: Call, view: View, reason: str | None) -> None:
        view.told_ends += 1
        if view.told_ends > 1 and not call.disturbed:
            raise Broken(f"{self.client_id} is told the end of {call} twice")
        view.state = State.OVER
        if reason:
            call.reasons.add(reason)
        if self.rings is call:
            self.rings = None

    def _expect_no_confusion(self, call: Call, view: View, kind: str) -> None:
        """A caller of dialect 1 takes what comes with an unknown id for an answer to the call that it has just begun. If the
        server has lost that one, it cannot know (docs: "After a restart of the server")."""
        rings = self.dialect == 1 and self.rings and not self.rings.disturbed
        if rings and self.rings is not call and not view.knows_id:
            raise Broken(f"{self.client_id} rings {self.rings.callee}, and hears {kind} of {call}")

    def _expect_live(self, call: Call, view: View, kind: str) -> None:
        if view.state is State.OVER and not view.ended_it:
            raise Broken(f"{self.client_id} hears {kind} of {call}, which is over")
