"""Nothing: what was kept here (handling, hand-over, follow-up) came to need no column of its own.

The number stands because databases in use name it: without it they could neither go on nor back.
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
