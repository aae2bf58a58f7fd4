"""PostgreSQL is restarted the hard way, and shared with another writer."""

from tests.acceptance.marks import ON_POSTGRESQL
from tests.acceptance.two_writers import EVENTS, PRODUCERS, ROUNDS


@ON_POSTGRESQL
def test_restarted_immediately_under_load(site):
    site.start_counting()
    web = site.start_web()
    with web.load(clients=2) as load:
        for _ in range(3):
            before = site.total()
            site.wait_for(lambda n=before: site.total() > n, "counting goes on")
            answers = load.answers()
            site.database.server.restart_immediately()
            site.wait_for(lambda n=answers: load.answers() > n, "recording goes on")
        outcome = load.stop()

    site.wait_settled(outcome.sent)
    site.assert_exactly(outcome)


@ON_POSTGRESQL
def test_drain_beside_another_writer(site):
    """Both write the same rollups, each for producers of its own."""
    words = ["tests.acceptance.two_writers"]
    writers = [site.start(way, [*words, way]) for way in ("stream", "direct")]
    assert [writer.wait() for writer in writers] == [0, 0], site.logs()

    recorded = len(writers) * ROUNDS * PRODUCERS * EVENTS
    site.assert_settled(recorded)
    assert site.total() == recorded
    conflicts = [int(writer.said().split()[-1]) for writer in writers]
    assert sum(conflicts) > 0, "they never met"
