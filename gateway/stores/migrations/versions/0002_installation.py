"""What an installer registers: learning periods, makes and power of devices, residents' files, installation records."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

PERSON_SAID = ("answers_by", "hearing", "dialect")  # now in the dated profile; nothing was ever written here


def upgrade() -> None:
    op.add_column("household", sa.Column("trial_until", sa.BigInteger(), nullable=True))
    op.add_column("sensor", sa.Column("model", sa.Text(), nullable=False, server_default=""))
    op.add_column("sensor", sa.Column("power", sa.Text(), nullable=False, server_default=""))
    op.add_column("phone", sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
    for column in PERSON_SAID:
        op.drop_column("person", column)
    op.create_table(
        "profile",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("living", sa.Text(), nullable=False),
        sa.Column("ability", sa.Text(), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("hearing", sa.Text(), nullable=False),
        sa.Column("answers_by", sa.Text(), nullable=False),
        sa.Column("hospital", sa.Text(), nullable=False),
        sa.Column("dementia", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_profile_person"),
        sa.PrimaryKeyConstraint("person", "since", name="pk_profile"),
    )
    op.create_table(
        "installation",
        sa.Column("number", Serial, nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("sensor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("link", sa.Float(), nullable=True),
        sa.Column("battery", sa.Float(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("photo", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["home"], ["household.id"], name="fk_installation_home"),
        sa.PrimaryKeyConstraint("number", name="pk_installation"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_installation_home", "installation", ["home"], unique=False)
    op.create_table(
        "commissioning",
        sa.Column("number", Serial, nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["home"], ["household.id"], name="fk_commissioning_home"),
        sa.PrimaryKeyConstraint("number", name="pk_commissioning"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_commissioning_home", "commissioning", ["home"], unique=False)


def downgrade() -> None:
    for table in ("commissioning", "installation", "profile"):
        op.drop_table(table)  # its indexes go with it
    for column in PERSON_SAID:
        op.add_column("person", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    op.drop_column("phone", "place")
    op.drop_column("sensor", "power")
    op.drop_column("sensor", "model")
    op.drop_column("household", "trial_until")
