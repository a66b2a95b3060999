"""Accounts that are shut, sessions that tell when they were used and where, and a second step at signing in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("disabled_at", sa.BigInteger(), nullable=True))
    op.add_column("session", sa.Column("seen_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("session", sa.Column("browser", sa.Text(), nullable=False, server_default=""))
    op.execute(sa.text("update session set seen_at = created_at"))
    op.create_table(
        "second_step",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name="fk_second_step_login", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("login", name="pk_second_step"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["second_step.login"], name="fk_recovery_code_login", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("login", "code_hash", name="pk_recovery_code"),
    )


def downgrade() -> None:
    for table in ("recovery_code", "second_step"):
        op.drop_table(table)
    for column in ("browser", "seen_at"):
        op.drop_column("session", column)
    op.drop_column("account", "disabled_at")
