"""The documented flow once more from Node, over the `ws` package: another library, another JSON parser."""

from driver import node


def test_the_documented_flow_over_ws(serve):
    # Only the limits the tests themselves would meet are moved; RATE_LIMITED has its own in the flow.
    server = serve("--candidates-rate", "1000/1000", "--directory-rate", "40/40")
    print(node.run("--test", "--test-reporter=spec", "flow.test.mjs", SIGNAL_URL=server.url))


def test_the_document_is_an_asyncapi_document():
    print(node.run("--test", "--test-reporter=spec", "asyncapi.test.mjs"))
