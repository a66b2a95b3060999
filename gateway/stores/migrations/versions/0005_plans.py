"""Plans of areas, grids and households; absences; expected visits: one table instead of one for households alone."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def said() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
    )


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        *said(),
        sa.PrimaryKeyConstraint("scope", "place", "key", "since", name="pk_plan"),
    )
    op.execute(
        "insert into plan (scope, place, key, value, author, reason, since, until)"
        " select 'home', household, key, value, author, reason, since, until from override"
    )
    # What was known of a resident and mattered to the detectors alone stands in the plan from now on.
    op.execute(
        "insert into plan (scope, place, key, value, author, reason, since, until)"
        " select 'home', r.household, 'dementia', 'yes', '', 'profile', p.since, null"
        " from profile p join residence r on r.person = p.person"
        " where p.dementia and p.until is null and r.until is null"
    )
    op.execute(
        "insert into plan (scope, place, key, value, author, reason, since, until)"
        " select 'home', r.household, 'risk', 'yes', '', 'profile', p.since, null"
        " from profile p join residence r on r.person = p.person"
        " where p.risk = 'high' and p.until is null and r.until is null"
    )
    op.drop_table("override")


def downgrade() -> None:
    op.create_table(
        "override",
        sa.Column("household", sa.Text(), nullable=False),
        *said(),
        sa.ForeignKeyConstraint(["household"], ["household.id"], name="fk_override_household"),
        sa.PrimaryKeyConstraint("household", "key", "since", name="pk_override"),
    )
    op.execute(
        "insert into override (household, key, value, author, reason, since, until)"
        " select place, key, value, author, reason, since, until from plan"
        " where scope = 'home' and key not in ('dementia', 'risk')"
    )
    op.drop_table("plan")
