"""A call as somebody knows it who sees both ends, and each end's own view of it."""

from dataclasses import dataclass, field
from enum import Enum, auto


class Broken(AssertionError):
    """A promise of docs/protocol.md that was broken."""


class State(Enum):
    RINGING = auto()
    ACTIVE = auto()
    OVER = auto()


@dataclass
class View:
    """What one end knows of a call."""

    state: State = State.RINGING
    knows_id: bool = False
    ended_it: bool = False
    """This end said that it is over, so nothing of it may come any more once the server has heard that."""
    settled_end: bool = False
    """The server has heard it."""
    told_ends: int = 0
    candidates_sent: int = 0
    candidates_heard: int = 0


@dataclass
class Call:
    number: int
    caller: str
    callee: str
    id: str | None = None
    """Known as soon as either end was told."""
    disturbed: bool = False
    """An end lost a connection, or the server died, while it went on: its messages may be lost (docs: "Losing the connection")."""
    forgotten: bool = False
    """The server has died since, so it takes the id for one of a call that goes on."""
    initiated: bool = False
    """CALL_INITIATED has come; a call of dialect 1 has none."""
    accepted: bool = False
    reasons: set[str] = field(default_factory=set)
    views: dict[str, View] = field(default_factory=dict)

    @property
    def offer(self) -> str:
        return f"offer {self.number}"

    @property
    def answer(self) -> str:
        return f"answer {self.number}"

    def peer_of(self, client_id: str) -> str:
        return self.callee if client_id == self.caller else self.caller

    def lives_at(self, client_id: str) -> bool:
        view = self.views.get(client_id)
        return view is not None and view.state is not State.OVER

    def is_over(self) -> bool:
        return not any(self.lives_at(client_id) for client_id in (self.caller, self.callee))

    def is_unanswered(self) -> bool:
        return any(view.state is State.RINGING for view in self.views.values())

    def __str__(self) -> str:
        views = ", ".join(f"{who}: {view.state.name.lower()}" for who, view in self.views.items())
        return f"call {self.number} ({self.caller} → {self.callee}{', disturbed' if self.disturbed else ''}; {views})"
