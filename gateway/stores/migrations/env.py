"""What Alembic runs for each step: on the connection that `upgrade` or `downgrade` handed over."""

from alembic import context

from gateway.stores.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite can change a table only by copying it
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
