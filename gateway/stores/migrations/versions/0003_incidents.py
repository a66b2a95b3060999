"""Incidents and the steps between raised and closed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENTS = (
    "watch_at",
    "en_route_at",
    "on_site_at",
    "followed_up_at",
    "overdue_at",
    "stirred_at",
    "owned_at",
    "worse_at",
)
NAMES = ("coordinator", "incident")


def upgrade() -> None:
    for moment in MOMENTS:
        op.add_column("alert", sa.Column(moment, sa.BigInteger(), nullable=True))
    op.add_column("alert", sa.Column("reminded", sa.Integer(), nullable=False, server_default="0"))
    for name in NAMES:
        op.add_column("alert", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("alert", sa.Column("also", sa.Text(), nullable=False, server_default="[]"))
    op.create_index("ix_delivery_person", "delivery", ["person", "created_at"], unique=False)
    op.create_index("ix_alert_incident", "alert", ["incident"], unique=False)
    op.execute("update alert set owned_at = accepted_at")
    op.add_column("contact", sa.Column("is_far", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("contact", "is_far")
    op.drop_index("ix_alert_incident", table_name="alert")
    op.drop_index("ix_delivery_person", table_name="delivery")
    for column in (*MOMENTS, "reminded", *NAMES, "also"):
        op.drop_column("alert", column)
