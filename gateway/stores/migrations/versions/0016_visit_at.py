"""Visits by their time: a month of a county is read without reading all the years."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_visit_at", "visit", ["at"])


def downgrade() -> None:
    op.drop_index("ix_visit_at", table_name="visit")
