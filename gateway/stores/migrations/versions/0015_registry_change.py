"""What each step of the registry's counter was about."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registry_change",
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", "part", "name", name="pk_registry_change"),
    )


def downgrade() -> None:
    op.drop_table("registry_change")
