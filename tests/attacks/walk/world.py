"""The walk: steps by chance, and what must hold at both ends of each call whenever nothing is under way."""

import random
import time

from driver.server import Server, eventually
from walk.call import Broken, Call, State
from walk.walker import Walker

RING_SECONDS, GRACE_SECONDS = 2, 1
# Rates and bursts are not the subject here; each has tests of its own.
SETTINGS = (
    "--ring-timeout", f"{RING_SECONDS}s", "--grace", f"{GRACE_SECONDS}s",
    "--calls-rate", "100000/100000", "--candidates-rate", "100000/100000", "--other-rate", "100000/100000",
    "--connection-burst", "100000", "--connection-rate", "100000",
)
STEPS = 120
DIALECTS = [(1, 1, 1), (1, 1, 2), (1, 2, 2), (2, 2, 2), (1, 2, 1, 2)]
# What one caller has ringing at one callee: less than the server allows, so that busy is never its answer.
RINGING_MAX = 1
# Beyond the timers: a machine that does other things.
REST_SECONDS_MAX = RING_SECONDS + GRACE_SECONDS + 6
# Two timers, of which one ends a call.
NOT_BOTH = {"superseded", "timeout"}


class World:
    def __init__(self, server: Server, seed: int, dialects: tuple[int, ...] | None = None):
        self.server = server
        self.chance = random.Random(seed)
        dialects = dialects or self.chance.choice(DIALECTS)
        self.calls: list[Call] = []
        self.trace: list[str] = []
        names = ("walker-alice", "walker-bob", "walker-carol", "walker-dave")
        self.walkers = [Walker(self, name, dialect) for name, dialect in zip(names, dialects)]
        self.by_id = {walker.client_id: walker for walker in self.walkers}

    def run(self) -> None:
        for walker in self.walkers:
            walker.connect()
        for _ in range(STEPS):
            # Without a pause in between, the next step races with this one.
            self.step()
            if self.chance.random() < 0.5:
                self.settle()
        self.come_to_rest()

    def note(self, walker: Walker, what: str) -> None:
        self.trace.append(f"{walker.client_id} ({walker.dialect}) {what}")

    # Steps

    def step(self) -> None:
        chosen = self.chance.choices(list(STEP_WEIGHTS), list(STEP_WEIGHTS.values()))[0]
        if chosen == "crash":
            return self.crash()
        walker = self.chance.choice(self.walkers)
        if not walker.is_online:
            return walker.connect()
        getattr(self, f"_{chosen}")(walker)

    def _call(self, walker: Walker) -> None:
        callee = self.chance.choice([other for other in self.walkers if other is not walker])
        ringing = [call for call in self.calls if (call.caller, call.callee) == (walker.client_id, callee.client_id)
                   and not call.is_over() and call.is_unanswered()]
        if walker.rings is None and len(ringing) < RINGING_MAX:
            walker.call(callee)

    def _answer(self, walker: Walker) -> None:
        if call := self._any(walker, lambda call: call.callee == walker.client_id, State.RINGING):
            self.chance.choice((walker.accept, walker.accept, walker.reject))(call)

    def _end(self, walker: Walker) -> None:
        if call := self._any(walker, lambda _: True):
            walker.end(call)

    def _candidate(self, walker: Walker) -> None:
        if call := self._any(walker, lambda _: True):
            for _ in range(self.chance.randrange(1, 5)):
                walker.send_candidate(call)

    def _progress(self, walker: Walker) -> None:
        if walker.dialect == 1:
            return
        walker.acknowledge()
        if call := self._any(walker, lambda call: call.callee == walker.client_id, State.RINGING):
            walker.ring(call)
        if call := self._any(walker, lambda _: True, State.ACTIVE):
            walker.signal(call)

    def _meddle(self, walker: Walker) -> None:
        mine = lambda call: walker.client_id in (call.caller, call.callee)
        known = [call for call in self.calls if call.id and (not mine(call) or self._is_over_for_all(call))]
        if known:
            kind, fields = self.chance.choice([
                ("CALL_END", {}), ("CALL_REJECT", {}), ("CALL_ACCEPT", {"sdpAnswer": "meddled"}),
                ("ICE_CANDIDATE", {"candidate": "meddled"}),
            ])
            walker.meddle(kind, self.chance.choice(known), fields)

    def _revive(self, walker: Walker) -> None:
        old = [call for call in self.calls if call.forgotten and call.callee == walker.client_id
               and walker.client_id in call.views and call.is_over()]
        # What matters most is a caller who could take it for news of another call.
        misleading = [call for call in old if self.by_id[call.caller].rings]
        if old:
            call = self.chance.choice(misleading or old)
            kind, fields = self.chance.choice([
                ("CALL_END", {}), ("CALL_REJECT", {}), ("CALL_ACCEPT", {"sdpAnswer": call.answer}),
            ])
            walker.revive(kind, call, fields)

    def _lose(self, walker: Walker) -> None:
        walker.lose_connection()

    def _supersede(self, walker: Walker) -> None:
        walker.connect()

    def _close(self, walker: Walker) -> None:
        walker.close()

    def _any(self, walker: Walker, wanted, *states: State) -> Call | None:
        """A call that lives at this walker, by chance."""
        found = [call for call in walker.live_calls() if call.views[walker.client_id].knows_id and wanted(call)
                 and call.views[walker.client_id].state in (states or (State.RINGING, State.ACTIVE))]
        return self.chance.choice(found) if found else None

    def _is_over_for_all(self, call: Call) -> bool:
        return not call.disturbed and call.is_over() and all(view.settled_end or view.told_ends
                                                              for view in call.views.values())

    def crash(self) -> None:
        self.kill_and_restart()
        for walker in self.chance.sample(self.walkers, len(self.walkers)):
            if self.chance.random() < 0.7:
                walker.connect()

    def kill_and_restart(self) -> None:
        self.trace.append("the server is killed, and starts again")
        for call in self.calls:
            call.forgotten = call.id is not None
            call.disturbed = True
        self.server.crash()
        for walker in self.walkers:
            walker.connection = None
        self.server.restart()

    # Calls

    def new_call(self, caller: Walker, callee: Walker) -> Call:
        call = Call(len(self.calls) + 1, caller.client_id, callee.client_id, disturbed=not callee.is_online)
        self.calls.append(call)
        return call

    def disturb(self, walker: Walker) -> None:
        for call in self.calls:
            if walker.client_id in (call.caller, call.callee) and not self._is_over_for_all(call):
                call.disturbed = True

    # What must hold

    def settle(self) -> None:
        """Twice: what the first round brings may be answered."""
        for _ in range(2):
            online = [walker for walker in self.walkers if walker.is_online]
            asked = [(walker, walker.ask()) for walker in online]
            for walker, name in asked:
                walker.hear_until(name)
        self.check()

    def check(self) -> None:
        for call in self.calls:
            self._check_reasons(call)
            if not call.disturbed:
                self._check_agreement(call)
        self._check_glare()

    def _check_agreement(self, call: Call) -> None:
        if call.lives_at(call.caller) != call.lives_at(call.callee):
            raise Broken(f"nothing is under way, and one end alone has {call}")
        states = {view.state for view in call.views.values()}
        if len(states) > 1:
            raise Broken(f"nothing is under way, and the ends disagree: {call}")
        if states == {State.ACTIVE}:
            for client_id, view in call.views.items():
                sent = call.views[call.peer_of(client_id)].candidates_sent
                if view.candidates_heard != sent:
                    raise Broken(f"{client_id} has heard {view.candidates_heard} of {sent} candidates of {call}")

    def _check_reasons(self, call: Call) -> None:
        if len(call.reasons) > 1 and (not call.disturbed or call.reasons >= NOT_BOTH):
            raise Broken(f"the ends of {call} were told different reasons: {call.reasons}")

    def _check_glare(self) -> None:
        ringing = {(call.caller, call.callee) for call in self.calls
                   if not call.disturbed and not call.is_over() and call.is_unanswered()}
        for caller, callee in ringing:
            if (callee, caller) in ringing and 2 in (self.by_id[caller].dialect, self.by_id[callee].dialect):
                raise Broken(f"{caller} and {callee} ring each other, and both calls go on")

    def come_to_rest(self) -> None:
        """Once faults stop and everybody is back, both ends have a call or neither; once all leave, nothing is left."""
        self.trace.append("no more faults")
        for walker in self.walkers:
            if not walker.is_online:
                walker.connect()
        self.expect_rest()
        self.end_all()
        for walker in self.walkers:
            walker.close()
        gauges = ("securecall_connections", "securecall_sessions", "securecall_calls")
        if not eventually(lambda: not any(self.server.metrics()[name] for name in gauges), REST_SECONDS_MAX):
            raise Broken(f"everybody left, and is not forgotten: {self.server.metrics()}")

    def expect_rest(self) -> None:
        self.rest_began = time.monotonic()
        if not eventually(self._is_at_rest, REST_SECONDS_MAX, every=0.2):
            raise Broken(f"after {REST_SECONDS_MAX} s the ends disagree: " + "; ".join(map(str, self._half_known())))

    def end_all(self) -> None:
        """Whoever knows a call's id ends it: of a call that rings, it is the callee in dialect 1."""
        for walker in self.walkers:
            for call in walker.live_calls():
                if call.views[walker.client_id].knows_id:
                    walker.end(call)

    def _is_at_rest(self) -> bool:
        for call in self._half_known():
            self._ask_about(call)
        self.settle()
        return not self._half_known()

    def _half_known(self) -> list[Call]:
        return [call for call in self.calls if call.lives_at(call.caller) != call.lives_at(call.callee)]

    def _ask_about(self, call: Call) -> None:
        """In dialect 1 the end of a call may have been lost with a connection: the client asks, or its ring timer ends it."""
        for walker in (self.by_id[call.caller], self.by_id[call.callee]):
            if walker.dialect == 1 and call.lives_at(walker.client_id):
                if call.views[walker.client_id].knows_id:
                    walker.send_candidate(call)
                elif time.monotonic() > self.rest_began + RING_SECONDS + GRACE_SECONDS:
                    walker.give_up(call)


STEP_WEIGHTS = {
    "call": 25, "answer": 20, "end": 12, "candidate": 15, "progress": 8, "meddle": 5, "revive": 10,
    "lose": 5, "supersede": 2, "close": 2, "crash": 2,
}
