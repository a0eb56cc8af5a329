"""Deleting what is past its time in small batches along an index, each beginning where the one before has ended.

A batch that began at the beginning again would walk over what the batches before it have left there: PostgreSQL keeps
deleted rows and their index entries until it is vacuumed.

What is found by a random key (a digest, somebody's id) writes a page of that index for each row, once the index has
more pages than a batch has rows; what is in the order of time throughout writes a tenth of that. More rows add nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from idp.database import RELAXED, db


def delete_older(
    key: InstrumentedAttribute[Any],
    moment: InstrumentedAttribute[Any],
    before: datetime,
    limit: int,
    *,
    first: Callable[[Sequence[Any]], int] = lambda _keys: 0,
    until: Any = None,
) -> Iterator[int]:
    """Delete the rows whose moment lies before that one, oldest first, and yield after each batch how many went.

    At most limit rows go at once, each found by its key, which is unique; `first` deletes what hangs on them and says
    how much that was. The caller commits after each batch. Where keys are in the order of time, and the moment has no
    index, `until` is a key before which all that is old enough lies.
    """
    # What somebody is changing just now is left for the next time: whoever prunes waits for nobody, so that no two can
    # wait for each other, whatever rows a request takes in whatever order.
    path, is_near = (moment, moment < before) if until is None else (key, key < until)
    old = (
        select(key, path).where(moment < before, is_near).order_by(path).limit(limit).with_for_update(skip_locked=True)
    )
    chosen = db.session.execute(old).all()
    while chosen:
        keys = [row[0] for row in chosen]
        hung_on = first(keys)
        # Looked at once more: since it was chosen, somebody may have given a row more time.
        statement = delete(key.class_).where(key.in_(keys), moment < before)
        deleted: CursorResult[tuple[()]] = db.session.execute(  # type: ignore[assignment]  # DELETE gives a cursor
            statement.execution_options(**RELAXED, synchronize_session=False)
        )
        yield int(deleted.rowcount) + hung_on
        if len(chosen) < limit:
            return
        chosen = db.session.execute(old.where(path >= chosen[-1][1])).all()
