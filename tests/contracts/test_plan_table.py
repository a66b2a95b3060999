"""The plan of a book that an older program wrote: its lines are kept, and what the residents' files said joins them."""

from datetime import UTC, datetime, timedelta

from alembic import command
from sqlalchemy import inspect, text

from gateway.domain import Override
from gateway.stores.book import writing
from gateway.stores.migrations import alembic_config, downgrade, upgrade
from gateway.stores.sql import SqlRegistry, open_book

THEN = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_what_stood_in_the_plan_of_an_older_book_still_holds_and_can_be_taken_back(tmp_path):
    engine = open_book(f"sqlite:///{tmp_path}/gateway.db", migrate=False)
    config = alembic_config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for line in (
            "insert into person (id, name, language, full_name, masked_name, registered_at)"
            " values ('wang', '王', 'zh', '', '', 0)",
            "insert into household (id, code, name, zone, state, address, access, registered_at)"
            " values ('h1', 'A-1', '王奶奶', 'Asia/Shanghai', 'guarded', '', '', 0)",
            "insert into residence (person, household, place, since) values ('wang', 'h1', 0, 0)",
            "insert into override (household, key, value, author, reason, since, until)"
            " values ('h1', 'pause', 'guarded', 'li', '住院', 1000000, null)",
            "insert into profile (person, sex, living, ability, risk, conditions, dialect, hearing, answers_by,"
            " hospital, dementia, since, until)"
            " values ('wang', '', '', '', 'high', '', '', '', '', '', 1, 2000000, null)",
        ):
            connection.execute(text(line))

    upgrade(engine)
    lines = {line.key: line for line in SqlRegistry(engine).overrides("h1")}

    pause = Override(home="h1", key="pause", value="guarded", since=THEN, until=None, author="li", reason="住院")
    assert lines["pause"] == pause
    assert {key: line.value for key, line in lines.items()} == {"pause": "guarded", "dementia": "yes", "risk": "yes"}
    assert lines["dementia"].since == THEN + timedelta(seconds=1)

    downgrade(engine, "0004")
    with engine.connect() as connection:
        assert [row.key for row in connection.execute(text("select key from override"))] == ["pause"]
    assert "plan" not in inspect(engine).get_table_names()
