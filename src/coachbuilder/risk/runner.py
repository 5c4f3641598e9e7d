"""Runs many plans: here, in worker processes, or on a Dask cluster; the figures are the same on any of them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.plan import Plan, evaluate_draws, headline_names
from coachbuilder.plant.balance import LineTable
from coachbuilder.programme.errors import InputError, Problem
from coachbuilder.risk.checkpoint import Checkpoint
from coachbuilder.risk.table import Table

CHUNK = 50
"""Plans handed to a worker at once: large enough to hide the handing over, small enough to show progress."""

LARGEST_CHUNK = 500
"""The same in large sets."""

WAITING_PER_WORKER = 4
"""Chunks handed out at once for each worker: the rest waits here, where it needs no copy."""

LOST_POOLS = 3
"""How often worker processes may be lost before a run gives up."""

TABLED = "draws"
"""The set that a table keeps."""

CONNECT_S = 20
"""How long a Dask scheduler may take to answer."""

Progress = Callable[[int, int], None]
"""Called with the number of plans done and the number of all."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points at which plans are run.

    Parameters
    ----------
    paths
        Assumptions, in the order of the columns.
    values
        (points, assumptions) their values; not a number leaves an assumption at its own.
    """

    paths: tuple[str, ...]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, cases: Sequence[Mapping[str, float]]) -> Points:
        """Return cases that are given as values by path."""
        paths = tuple(dict.fromkeys(path for values in cases for path in values))
        column = {path: number for number, path in enumerate(paths)}
        table = np.full((len(cases), len(paths)), np.nan)
        for row, values in enumerate(cases):
            for path, value in values.items():
                table[row, column[path]] = value
        return cls(paths, table)

    def __len__(self) -> int:
        """Return the number of points."""
        return int(self.values.shape[0])

    def part(self, rows: range) -> Points:
        """Return some consecutive points."""
        return Points(self.paths, self.values[rows.start : rows.stop])


def chunks_of(count: int, size: int | None = None) -> list[range]:
    """Return the parts into which a set is cut; they depend on its size only, never on who runs them."""
    size = size or min(max(CHUNK, count // 20), LARGEST_CHUNK)
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def evaluate_points(
    base: Plan, points: Points, stop: Event | None = None, lines: LineTable | None = None
) -> NDArray[np.float64]:
    """Return the headline figures at each point, shape (points, figures); not a number where there is none.

    Parameters
    ----------
    base
        The plan from which every point starts.
    points
        The points.
    stop
        Ends the work early when it is set.
    lines
        Balances between which the line of each point is interpolated; None leaves the line as the plan laid it out.

    Raises
    ------
    RuntimeError
        If the work was stopped.
    """
    given = np.isfinite(points.values)
    own = np.array([base.programme.assumptions[path].value for path in points.paths])
    return evaluate_draws(
        base,
        points.paths,
        np.where(given, points.values, own),
        lines=lines,
        stopped=(lambda: False) if stop is None else stop.is_set,
    )


class Runner:
    """Evaluates sets of points with workers that live from the first set to the last.

    Parameters
    ----------
    base
        The plan from which every point starts.
    workers
        Processes; 1 evaluates here.
    progress
        Told of the points done and of all of a set.
    checkpoint_folder
        Where finished chunks are kept until all sets are done.
    scheduler
        Address of a Dask scheduler whose workers take the place of processes here.
    table
        Folder of Parquet files into which the draws go as they come, to stay there.
    lines
        Balances between which the line of each point is interpolated.

    Raises
    ------
    InputError
        If no scheduler answers at the address, or Dask is not installed, or the table is one of another plan.
    """

    def __init__(
        self,
        base: Plan,
        workers: int = 1,
        progress: Progress | None = None,
        checkpoint_folder: Path | None = None,
        scheduler: str | None = None,
        table: Path | None = None,
        lines: LineTable | None = None,
    ) -> None:
        self._lines = lines
        self._base = replace(base, trace={}, assumptions=())
        self._workers = workers
        self._progress = progress
        self._folder = checkpoint_folder
        self._checkpoints: list[Checkpoint] = []
        self._pool: ProcessPoolExecutor | None = None
        self._lost = 0
        self._context = get_context("spawn")
        self._stop = self._context.Event()
        self._table = None if table is None else Table(table, base, lines)
        self._client = None if scheduler is None else _connected(scheduler)

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._client is not None:
            self._client.close()
        if self._pool is not None:
            if kind is not None:
                # Chunks begun or handed out can no longer be cancelled: their workers leave them at the next draw.
                self._stop.set()
            self._pool.shutdown(wait=kind is None, cancel_futures=True)
        if kind is None:
            for checkpoint in self._checkpoints:
                checkpoint.remove()

    def run(self, points: Points, label: str) -> NDArray[np.float64]:
        """Return the headline figures at each point, shape (points, figures); not a number is none.

        Parameters
        ----------
        points
            The points.
        label
            What they are, for the folder of finished chunks; empty keeps none.
        """
        result = np.full((len(points), len(headline_names())), np.nan)
        checkpoint: Checkpoint | Table | None = None
        size = None
        if label == TABLED and self._table is not None:
            checkpoint, size = self._table, LARGEST_CHUNK
        elif label and self._folder:
            checkpoint = Checkpoint(self._folder, label, self._base, self._lines)
            self._checkpoints.append(checkpoint)
        done = 0
        waiting = []
        chunks = chunks_of(len(points), size)
        for chunk in chunks:
            kept = checkpoint.read(points, chunk) if checkpoint else None
            if kept is not None and kept.shape == (len(chunk), result.shape[1]):
                result[chunk.start : chunk.stop] = kept
                done += len(chunk)
            else:
                waiting.append(chunk)
        if self._progress:
            self._progress(done, len(points))
        for chunk, figures in self._evaluated(points, waiting):
            result[chunk.start : chunk.stop] = figures
            if checkpoint:
                checkpoint.write(points, chunk, figures)
            done += len(chunk)
            if self._progress:
                self._progress(done, len(points))
        if isinstance(checkpoint, Table):
            checkpoint.finish(chunks)
        return result

    def _evaluated(self, points: Points, chunks: Sequence[range]) -> Iterator[tuple[range, NDArray[np.float64]]]:
        """Yield the chunks as they are finished."""
        if self._client is not None:
            yield from self._on_cluster(points, chunks)
        elif self._workers <= 1 or (len(chunks) <= 1 and self._pool is None):
            for chunk in chunks:
                yield chunk, evaluate_points(self._base, points.part(chunk), lines=self._lines)
        else:
            yield from self._in_processes(points, chunks)

    def _in_processes(self, points: Points, chunks: Sequence[range]) -> Iterator[tuple[range, NDArray[np.float64]]]:
        todo = list(reversed(chunks))
        under_way: dict[Future[NDArray[np.float64]], range] = {}
        while todo or under_way:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self._workers,
                    mp_context=self._context,
                    initializer=_start,
                    initargs=(self._base, self._stop, self._lines),
                )
            try:
                while todo and len(under_way) < WAITING_PER_WORKER * self._workers:
                    under_way[self._pool.submit(_evaluate_in_worker, points.part(todo[-1]))] = todo[-1]
                    todo.pop()
                finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in finished:
                    figures = future.result()
                    yield under_way.pop(future), figures
            except BrokenProcessPool:
                self._lost += 1
                if self._lost > LOST_POOLS:
                    raise
                # A worker was killed, and its pool with it: what was not finished is handed to a new one.
                todo += under_way.values()
                under_way.clear()
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None

    def _on_cluster(self, points: Points, chunks: Sequence[range]) -> Iterator[tuple[range, NDArray[np.float64]]]:
        import distributed

        client = self._client
        assert client is not None
        as_completed: Any = distributed.as_completed
        # As the result of a task the plan comes back by itself if the worker that held it is lost.
        base = client.submit(_as_it_is, self._base, pure=False)
        todo = list(reversed(chunks))
        under_way: dict[str, range] = {}

        def next_one() -> Any:
            chunk = todo.pop()
            future = client.submit(evaluate_points, base, points.part(chunk), lines=self._lines, pure=False)
            under_way[future.key] = chunk
            return future

        slots = max(1, sum(client.nthreads().values()))
        first = [next_one() for _ in range(min(len(todo), WAITING_PER_WORKER * slots))]
        finished = as_completed(first, loop=client.loop)
        for future in finished:
            figures = future.result()
            yield under_way.pop(future.key), figures
            if todo:
                finished.add(next_one())


def _connected(address: str) -> Any:
    """Return a client of a Dask scheduler."""
    try:
        import distributed
    except ImportError:
        hint = 'pip install "coachbuilder[cluster]"'
        raise InputError(
            [Problem("", "--scheduler", address, "Dask's distributed to be installed", hint=hint)]
        ) from None
    connect: Any = distributed.Client
    try:
        return connect(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        found = f"{address}: {error}"
        raise InputError([Problem("", "--scheduler", found, "the address of a Dask scheduler that answers")]) from None


def _as_it_is(base: Plan) -> Plan:
    return base


_worker_base: Plan | None = None
_worker_stop: Event | None = None
_worker_lines: LineTable | None = None


def _start(base: Plan, stop: Event, lines: LineTable | None) -> None:
    # A worker process holds the one plan that its draws start from; the parent never sets it.
    global _worker_base, _worker_stop, _worker_lines
    _worker_base, _worker_stop, _worker_lines = base, stop, lines
    # Ctrl-C reaches every process of the group; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _evaluate_in_worker(points: Points) -> NDArray[np.float64]:
    if _worker_base is None:
        message = "a worker was started without its plan"
        raise RuntimeError(message)
    return evaluate_points(_worker_base, points, _worker_stop, _worker_lines)
