"""SQL for the last guards: rules about money and codes that no script can get around.

Used by migrations. The tables of states are read from each app's `states.py`, and a test
compares what the database lets through with what they draw (I18).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from django.db.migrations.operations import RunSQL

REFUSE: Final = """
CREATE OR REPLACE FUNCTION bdv_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%: %', TG_NAME, TG_ARGV[0] USING ERRCODE = 'check_violation',
    CONSTRAINT = TG_NAME;
END $$
"""


def _word(state: Enum | None) -> str:
    return f"'{state.value if state else ''}'"


def status_guard(
    table: str,
    arrows: Mapping[Enum, frozenset[Enum]] | Mapping[Enum | None, frozenset[Enum]],
    *,
    column: str = "status",
) -> RunSQL:
    """Refuse every change of `column` that the table of arrows does not draw."""
    pairs = ", ".join(
        f"({_word(old)}, {_word(new)})"
        for old, news in arrows.items()
        for new in sorted(news, key=lambda state: str(state.value))
    )
    name = f"{table}_{column}_arrow"
    # The WHEN clause runs inside PostgreSQL's executor: a lawful change calls no function.
    return RunSQL(
        f"""
        CREATE TRIGGER {name} BEFORE UPDATE OF {column} ON {table} FOR EACH ROW
        WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}
              AND (coalesce(OLD.{column}, ''), coalesce(NEW.{column}, '')) NOT IN ({pairs}))
        EXECUTE FUNCTION bdv_refuse('there is no such arrow')
        """,
        f"DROP TRIGGER {name} ON {table}",
    )


def keep_rows(table: str, *, changeable_while: str | None = None) -> RunSQL:
    """Refuse DELETE; with `changeable_while` (SQL over OLD) also UPDATE of other rows."""
    create = f"""
        CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} FOR EACH ROW
        EXECUTE FUNCTION bdv_refuse('rows of this table never vanish');
        """
    drop = f"DROP TRIGGER {table}_kept ON {table};"
    if changeable_while:
        create += f"""
        CREATE TRIGGER {table}_final BEFORE UPDATE ON {table} FOR EACH ROW
        WHEN (NOT ({changeable_while}))
        EXECUTE FUNCTION bdv_refuse('this row is final');
        """
        drop += f"DROP TRIGGER {table}_final ON {table};"
    return RunSQL(create, drop)
