"""An account is bound to a grid or to an area with everything below it."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("account", "grid", new_column_name="place")


def downgrade() -> None:
    op.alter_column("account", "place", new_column_name="grid")
