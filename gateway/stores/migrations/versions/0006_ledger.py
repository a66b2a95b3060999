"""How far each message came, ways that are gone one after the other, what came in from providers, tests of buttons."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

MOMENTS = ("failed_at", "delivered_at", "opened_at", "answered_at")
WORDS = ("code", "message")
INDEXES = {
    "ix_delivery_message": (["message"], "message <> ''"),
    "ix_delivery_sent": (["channel", "sent_at"], "sent_at is not null"),
    "ix_delivery_trial": (["person"], "purpose in ('test', 'drill')"),
}


def upgrade() -> None:
    for column in WORDS:
        op.add_column("delivery", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    op.add_column("delivery", sa.Column("lasting", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    for column in MOMENTS:
        op.add_column("delivery", sa.Column(column, sa.BigInteger(), nullable=True))
    for index, (columns, where) in INDEXES.items():
        op.create_index(
            index,
            "delivery",
            columns,
            unique=False,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.add_column("reach", sa.Column("after_s", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "inbound",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbound"),
    )
    op.create_index("ix_inbound_at", "inbound", ["at"], unique=False)
    op.create_table(
        "button_test",
        sa.Column("number", Serial, nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("sensor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_button_test"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_button_test_home", "button_test", ["home"], unique=False)


def downgrade() -> None:
    for table in ("button_test", "inbound"):
        op.drop_table(table)  # its index goes with it
    op.drop_column("reach", "after_s")
    for index in INDEXES:
        op.drop_index(index, "delivery")
    for column in (*MOMENTS, "lasting", *WORDS):
        op.drop_column("delivery", column)
