"""The audit trail is chained row to row; a consent may be about one person who looks."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from gateway.domain import Act
from gateway.domain.trail import BEGINNING, digest_of, linked

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEALS = ("salt", "digest", "chain")

audit = sa.table("audit", *(sa.column(name) for name in ("number", "at", "who", "what", "ref", "why", "facts", *SEALS)))


def upgrade() -> None:
    op.add_column("consent", sa.Column("viewer", sa.Text(), nullable=False, server_default=""))
    for seal in SEALS:
        op.add_column("audit", sa.Column(seal, sa.Text(), nullable=False, server_default=""))
    connection, chain = op.get_bind(), BEGINNING
    for row in connection.execute(sa.select(audit).order_by(audit.c.number)).all():
        facts = tuple((name, value) for name, value in json.loads(row.facts))
        at = EPOCH + timedelta(microseconds=row.at)
        salt = secrets.token_hex(16)
        digest = digest_of(Act(at=at, who=row.who, what=row.what, ref=row.ref, why=row.why, facts=facts), salt)
        chain = linked(chain, digest)
        sealed = sa.update(audit).where(audit.c.number == row.number)
        connection.execute(sealed.values(salt=salt, digest=digest, chain=chain))


def downgrade() -> None:
    for seal in reversed(SEALS):
        op.drop_column("audit", seal)
    op.drop_column("consent", "viewer")
