"""Where a household is, for the map."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("latitude", "longitude"):
        op.add_column("household", sa.Column(name, sa.Float(), nullable=True))


def downgrade() -> None:
    for name in ("longitude", "latitude"):
        op.drop_column("household", name)
