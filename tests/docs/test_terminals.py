"""Two people at two terminals, who type what the pages say."""

from blocks import block, takes
from terminal import Terminal
from transcripts import commands, line_pattern, pattern


@takes("README.md", "bob", "alice")
def test_two_terminals_of_the_readme_talk(home):
    """In one folder, as the README has it."""
    with Terminal(home) as bob, Terminal(home) as alice:
        bob.runs(block("README.md", "bob").text)
        bob.shows("waiting for calls")
        alice.runs(block("README.md", "alice").text)
        bob.shows(r"accept\?")
        bob.types("y\n")
        alice.shows("connected to bob")
        bob.shows("connected to alice")
        alice.types("good morning\n")
        bob.shows("good morning")
        bob.types("/quit\n")
        alice.shows("ready> ")


@takes("docs/command-line.md", "listen")
def test_listening_shows_what_the_page_shows(home, neighbour):
    home.succeeds("securecall keys new bob")
    neighbour.succeeds("securecall keys new alice")
    with Terminal(home) as bob, Terminal(neighbour) as alice:
        command, *transcript = block("docs/command-line.md", "listen").text.splitlines()
        bob.runs(command.removeprefix("$ ") + "\n")
        called = False
        for line in transcript:
            if line.removeprefix("> ") == "y":
                bob.types("y\n")
                alice.shows("connected to bob")
                alice.types("good morning\n")
                continue
            bob.shows(line_pattern(line))
            if line == "waiting for calls" and not called:
                called = True
                alice.types("securecall call bob\n")
            elif line == "alice: good morning":
                alice.types("/quit\n")


@takes("docs/command-line.md", "in scripts")
def test_scripts_say_send_and_take(home, neighbour):
    """Bob accepts alice, for whom the first two commands speak; then he runs the last one himself."""
    alice, bob = home, neighbour
    for person, name in ((alice, "alice"), (bob, "bob")):
        person.succeeds(f"securecall keys new {name}")
    (alice.folder / "report.pdf").write_text("a report")
    fingerprint = alice.succeeds("securecall keys show | sed -n 's/^fingerprint *//p'").strip()
    written = block("docs/command-line.md", "in scripts").text.replace(FINGERPRINT, fingerprint)
    speaking, listening = written.split("mkdir -p inbox\n")
    with Terminal(bob) as waiting:
        waiting.types(f"mkdir -p inbox; securecall listen --accept-from 'alice={fingerprint}' --receive-into inbox\n")
        waiting.shows("waiting for calls")
        assert "not sent" not in alice.succeeds(speaking)
        waiting.shows("good morning")
        waiting.shows("report.pdf")
        waiting.types("\x03")
    with Terminal(bob) as waiting:
        waiting.runs("mkdir -p inbox\n" + listening)
        waiting.shows("waiting for calls")
        assert "not sent" not in alice.succeeds("securecall call bob --send report.pdf < /dev/null || echo 'not sent'")
        waiting.types("\x03")
    assert (bob.folder / "inbox/report.pdf").read_text() == "a report"
    assert (bob.folder / "inbox/report (2).pdf").exists()


@takes("docs/command-line.md", "lookup")
def test_a_look_up_shows_what_the_page_shows(home, neighbour):
    """Alice has called the one who looks her up."""
    alice, bob = neighbour, home
    for person, name in ((alice, "alice"), (bob, "bob")):
        person.succeeds(f"securecall keys new {name}")
    fingerprint = alice.succeeds("securecall keys show | sed -n 's/^fingerprint *//p'").strip()
    with Terminal(bob) as waiting:
        waiting.types(f"securecall listen --once --accept-from 'alice={fingerprint}'\n")
        waiting.shows("waiting for calls")
        alice.succeeds("echo hello | securecall call bob")
        waiting.shows("hello")
    [(command, printed)] = commands(block("docs/command-line.md", "lookup").text)
    assert pattern(printed).fullmatch(bob.succeeds(command))


FINGERPRINT = "67819 27709 70238 05285 20522 48028 50223 11171"
