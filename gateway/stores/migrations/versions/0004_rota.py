"""Duties in areas wider than a grid; shifts, days that count as another weekday, leave."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("duty", sa.Column("area", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "shift",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("begins", sa.Text(), nullable=False),
        sa.Column("ends", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("last", sa.Text(), nullable=True),
        sa.Column("weekdays", sa.Text(), nullable=False),
        sa.Column("swap_of", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_shift_person"),
        sa.PrimaryKeyConstraint("id", name="pk_shift"),
    )
    op.create_table(
        "holiday",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("counts_as", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", "day", name="pk_holiday"),
    )
    op.create_table(
        "leave",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_leave_person"),
        sa.PrimaryKeyConstraint("person", "since", name="pk_leave"),
    )


def downgrade() -> None:
    for table in ("leave", "holiday", "shift"):
        op.drop_table(table)
    op.execute(sa.text("delete from duty where area <> ''"))  # else they would be for every grid
    op.drop_column("duty", "area")
